"""Where the compiled set comes from: loaded at boot, swapped whole when a row changes, never emptied by an error."""

from __future__ import annotations

import asyncio
import logging

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_database import Database, DatabaseUnavailable, Follower
from axonflow_policy import CATALOGUE_VERSION, Policy, PolicySet, catalogue
from axonflow_policy.engines import dump_key
from axonflow_policy.policy_set import InvalidPolicy

from axonflow_governance import store
from axonflow_governance.compiling import PolicyCompiler
from axonflow_governance.dumps import RuleDumps, WriteGate
from axonflow_governance.errors import JudgementFailed, PolicySetUnavailable
from axonflow_governance.overrides import OverrideBook, Views
from axonflow_governance.postures import UnderPosture
from axonflow_governance.tenants import CHANNEL, MOST_TENANTS, TenantLayers

logger = logging.getLogger("axonflow.governance.source")

OVERRIDES_CHANNEL = "axonflow_overrides"
_MOST_KEPT = 4096  # views remembered as written down; forgetting them costs a statement each


class PolicySource:
    """Holds the set in force for one plane family's posture, and its views under overrides.

    Args:
        database: where rows and overrides are.
        posture: the operator's levers.
        overrides_act: false in editions that have no overrides; rows left from a higher edition then do nothing.
        compiler: compiles what tenants write; one of its own by default.
        most_tenants: how many tenants' policies are held at once.
    """

    def __init__(
        self,
        database: Database,
        posture: Posture,
        *,
        overrides_act: bool = True,
        compiler: PolicyCompiler | None = None,
        most_tenants: int = MOST_TENANTS,
    ) -> None:
        self._database = database
        self._posture = posture
        self._follower: Follower[PolicySet] = Follower(database, CHANNEL, self._load)
        self._overrides: Follower[OverrideBook] | None = (
            Follower(database, OVERRIDES_CHANNEL, self._load_overrides) if overrides_act else None
        )
        self._dumps = RuleDumps(database, compiler or PolicyCompiler())
        self._tenants = TenantLayers(database, self._dumps, most=most_tenants)
        self.gate = WriteGate(self._dumps)
        self._compiled: PolicySet | None = None
        self._compiled_from: list[Policy] = []
        self._views: Views | None = None
        self._kept: set[tuple[str, str]] = set()
        self._keeping: set[asyncio.Task[None]] = set()

    @property
    def current(self) -> PolicySet | None:
        """The set in force where nothing is overridden, or None before the first load."""
        return self._follower.current

    def for_tenant(self, org_id: str, tenant_id: str) -> PolicySet | None:
        """The set that judges a tenant's calls now: the one in force under the overrides that hold for it."""
        base = self._follower.current
        if base is None or self._overrides is None or (book := self._overrides.current) is None:
            return base
        views = self._views
        if views is None or views.base is not base or views.book is not book:
            views = self._views = Views(base, book, self._keep_view)
        return views.of(org_id, tenant_id)

    async def with_tenant_rules(self, org_id: str, tenant_id: str) -> PolicySet | None:
        """As `for_tenant`, with what the tenant and its organisation wrote; the first call for a tenant reads it.

        Raises:
            JudgementFailed: the tenant's policies cannot be read or judged, and none were loaded before.
        """
        if self._follower.current is None:
            return None
        layer = await self._tenants.layer_of(org_id, tenant_id)
        base = self._follower.current
        book = None if self._overrides is None else self._overrides.current
        try:
            joined = layer.over(base, book, self._keep_view)
        except InvalidPolicy as error:
            raise JudgementFailed(f"the tenant's policies cannot be judged: {error}") from error
        return joined or self.for_tenant(org_id, tenant_id)

    def under(self, posture: Posture) -> UnderPosture:
        """The same sets as another plane family judges by them: its levers, its skipped categories, its hashes."""
        return UnderPosture(self, posture, self._keep_view)

    @property
    def age_s(self) -> float:
        """Seconds since the set, its overrides and tenants' policies were last known to be what the database holds."""
        followers = (self._follower, self._overrides, self._tenants)
        return max(follower.age_s for follower in followers if follower is not None)

    async def start(self) -> None:
        """Bring the catalogue's rows up to date, compile, and follow changes.

        Raises:
            PolicySetUnavailable: the rows could not be read whole; the service must not serve.
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        async with self._database.platform() as connection:
            await store.upsert_catalogue(connection, catalogue(), CATALOGUE_VERSION)
            await store.forget_old_dumps(connection)
        try:
            await self._follower.start()
            if self._overrides is not None:
                await self._overrides.start()
            await self._tenants.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Stop following; the set stays in force."""
        await self._tenants.close()
        await self._dumps.close()
        if self._overrides is not None:
            await self._overrides.close()
        await self._follower.close()
        await asyncio.gather(*self._keeping, return_exceptions=True)

    async def _load(self) -> PolicySet:
        async with self._database.platform() as connection:
            switched = await store.switches(connection)
        policies = rows_in_force(switched)
        if self._compiled is not None and policies == self._compiled_from:
            return self._compiled  # a tenant's row changed: nothing of this set did
        key = dump_key([policy.pattern for policy in policies])
        async with self._database.platform() as connection:
            dump = await store.load_dump(connection, key)
        # Compiling takes seconds without a dump: never on the loop.
        compiled = await asyncio.to_thread(PolicySet.compile, policies, self._posture, dump, keep_disabled=True)
        await self._keep(compiled, key)
        logger.info(
            "policy set %s is in force",
            compiled.hash[:12],
            extra={
                "policies": len(compiled.policies),
                "engine": compiled.engine,
                "judged_by_re2": list(compiled.judged_by_re2),  # slower, and worth a look: see decision 007
            },
        )
        self._compiled, self._compiled_from = compiled, policies
        return compiled

    async def _load_overrides(self) -> OverrideBook:
        async with self._database.platform() as connection:
            return OverrideBook(await store.overrides(connection))

    def _keep_view(self, org_id: str, view: PolicySet) -> None:
        """Write down a view without making the call that needed it wait; once, as it may be made again and again."""
        if (org_id, view.hash) in self._kept:
            return
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept.add((org_id, view.hash))
        logger.info("policy set %s is in force for an organisation", view.hash[:12], extra={"org_id": org_id})
        task = asyncio.create_task(self._write_view(org_id, view))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def _write_view(self, org_id: str, view: PolicySet) -> None:
        try:
            async with self._database.tenant(org_id) as connection:
                await store.keep_set(connection, view, CATALOGUE_VERSION, org_id)
        except DatabaseUnavailable:
            self._kept.discard((org_id, view.hash))
            logger.warning("policy set %s could not be written down", view.hash[:12])

    async def _keep(self, compiled: PolicySet, key: str) -> None:
        """Write down the set, and its dump if it had to be compiled; a set that cannot be kept still governs."""
        try:
            async with self._database.platform() as connection:
                await store.keep_set(connection, compiled, CATALOGUE_VERSION)
                if not compiled.compiled_from_dump and (dump := compiled.dump()):
                    await store.keep_dump(connection, key, dump)
        except DatabaseUnavailable:
            logger.warning("policy set %s could not be written down", compiled.hash[:12])


def rows_in_force(switched: dict[str, bool]) -> list[Policy]:
    """The catalogue as the operator switched it, rows that are off included, in the order that the engine compiles.

    Raises:
        PolicySetUnavailable: a row of the catalogue is missing; a read that lost rows must not weaken the set.
    """
    missing = [policy.id for policy in catalogue() if policy.id not in switched]
    if missing:
        raise PolicySetUnavailable(f"{len(missing)} system policies are missing from the database: {missing[:3]}")
    rows = [msgspec.structs.replace(policy, enabled=switched[policy.id]) for policy in catalogue()]
    return sorted(rows, key=lambda policy: policy.id)
