"""Where the compiled set comes from: loaded at boot, swapped whole when a row changes, never emptied by an error."""

from __future__ import annotations

import asyncio
import logging

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_database import Database, DatabaseUnavailable, Follower
from axonflow_policy import CATALOGUE_VERSION, Policy, PolicySet, catalogue
from axonflow_policy.engines import dump_key

from axonflow_governance import store
from axonflow_governance.errors import PolicySetUnavailable

logger = logging.getLogger("axonflow.governance.source")

CHANNEL = "axonflow_policies"


class PolicySource:
    """Holds the set in force for one plane family's posture."""

    def __init__(self, database: Database, posture: Posture) -> None:
        self._database = database
        self._posture = posture
        self._follower: Follower[PolicySet] = Follower(database, CHANNEL, self._load)

    @property
    def current(self) -> PolicySet | None:
        """The set in force, or None before the first load."""
        return self._follower.current

    @property
    def age_s(self) -> float:
        """Seconds since the set was last known to be what the database holds."""
        return self._follower.age_s

    async def start(self) -> None:
        """Bring the catalogue's rows up to date, compile, and follow changes.

        Raises:
            PolicySetUnavailable: the rows could not be read whole; the service must not serve.
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        async with self._database.platform() as connection:
            await store.upsert_catalogue(connection, catalogue(), CATALOGUE_VERSION)
        await self._follower.start()

    async def close(self) -> None:
        """Stop following; the set stays in force."""
        await self._follower.close()

    async def _load(self) -> PolicySet:
        async with self._database.platform() as connection:
            switched = await store.switches(connection)
        policies = _in_force(switched)
        key = dump_key([policy.pattern for policy in policies])
        async with self._database.platform() as connection:
            dump = await store.load_dump(connection, key)
        # Compiling takes about a second without a dump: never on the loop.
        compiled = await asyncio.to_thread(PolicySet.compile, policies, self._posture, dump)
        await self._keep(compiled, key)
        logger.info(
            "policy set %s is in force",
            compiled.hash[:12],
            extra={"policies": len(compiled.policies), "engine": compiled.engine},
        )
        return compiled

    async def _keep(self, compiled: PolicySet, key: str) -> None:
        """Write down the set, and its dump if it had to be compiled; a set that cannot be kept still governs."""
        try:
            async with self._database.platform() as connection:
                await store.keep_set(connection, compiled, CATALOGUE_VERSION)
                if not compiled.compiled_from_dump and (dump := compiled.dump()):
                    await store.keep_dump(connection, key, dump)
        except DatabaseUnavailable:
            logger.warning("policy set %s could not be written down", compiled.hash[:12])


def _in_force(switched: dict[str, bool]) -> list[Policy]:
    """The catalogue as the operator switched it, in the order that the engine compiles.

    Raises:
        PolicySetUnavailable: a row of the catalogue is missing; a read that lost rows must not weaken the set.
    """
    missing = [policy.id for policy in catalogue() if policy.id not in switched]
    if missing:
        raise PolicySetUnavailable(f"{len(missing)} system policies are missing from the database: {missing[:3]}")
    rows = [msgspec.structs.replace(policy, enabled=switched[policy.id]) for policy in catalogue()]
    return sorted((policy for policy in rows if policy.enabled), key=lambda policy: policy.id)
