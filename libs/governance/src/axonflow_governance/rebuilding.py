"""Sets made again: the one that decided, from what was kept under its hash; or the one that would decide now.

Nothing here serves calls. A shared set is loaded from a dump where this kind of machine has one, else compiled in a
thread; tenants' policies are left to google-re2, which finds the same and compiles nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Tier
from axonflow_database import Database
from axonflow_policy import CATALOGUE_VERSION, Policy, PolicyOverride, PolicySet, TenantRules, catalogue
from axonflow_policy.engines import dump_key, engine_version
from axonflow_policy.tenant_rules import written_policy
from axonflow_policy.validators import VALIDATORS
from axonflow_policy.views import READINGS_VERSION

from axonflow_governance import store
from axonflow_governance.overrides import OverrideBook
from axonflow_governance.source import rows_in_force
from axonflow_governance.store import StoredSet

# Two releases' catalogues, each with some switches moved; a shared set takes about ten megabytes.
MOST_SHARED = 4
MOST_REBUILT = 32


class Layers(NamedTuple):
    """What a set is made of, so that one of them can be exchanged.

    Attributes:
        shared: the product's policies under a posture.
        own: what a tenant and its organisation wrote.
        overrides: by policy id.
    """

    shared: PolicySet
    own: tuple[Policy, ...]
    overrides: Mapping[str, PolicyOverride]

    def set(self) -> PolicySet:
        """The set; some milliseconds, and none of them for the loop.

        Raises:
            InvalidPolicy: a pattern or validator is not usable, or two policies share an id.
        """
        joined = self.shared.joined(TenantRules.by_re2(self.own))
        return joined.with_overrides(self.overrides) if self.overrides else joined


class Rebuilt(NamedTuple):
    """A set made again.

    Attributes:
        inexact: why it is not the very same; empty where its hash is.
    """

    policy_set: PolicySet
    inexact: tuple[str, ...]


class SetBuilder:
    """Makes sets again, and holds the last few.

    Args:
        database: where rows, sets and dumps are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shared: OrderedDict[str, asyncio.Task[PolicySet]] = OrderedDict()
        self._rebuilt: OrderedDict[tuple[str, str], Rebuilt] = OrderedDict()

    async def find(self, org_id: str, set_hash: str) -> Rebuilt | None:
        """The set of a hash, or None where it was not kept.

        Raises:
            InvalidPolicy: what was kept cannot be compiled by this release.
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        key = (org_id, set_hash)
        found = self._rebuilt.get(key)
        if found is None:
            async with self._database.tenant(org_id) as connection:
                stored = await store.find_set(connection, org_id, set_hash)
            if stored is None:
                return None
            found = self._rebuilt[key] = await self.rebuild(stored)
        self._rebuilt.move_to_end(key)
        if len(self._rebuilt) > MOST_REBUILT:
            self._rebuilt.popitem(last=False)
        return found

    async def rebuild(self, stored: StoredSet) -> Rebuilt:
        """The set that was kept; policies whose validator this release does not have are left out and named.

        Raises:
            InvalidPolicy: as `find`.
            DatabaseUnavailable: as `find`.
        """
        rows = [row for row in stored.policies if row.validator is None or row.validator in VALIDATORS]
        left_out = [row for row in stored.policies if row not in rows]
        system = [row for row in rows if row.tier is Tier.SYSTEM]
        own = tuple(row for row in rows if row.tier is not Tier.SYSTEM)
        shared = (await self._base(system)).with_posture(stored.posture)
        made = await asyncio.to_thread(Layers(shared, own, stored.overrides).set)
        return Rebuilt(made, () if made.hash == stored.hash else _why(stored, made, left_out))

    async def now(
        self, org_id: str, tenant_id: str, posture: Posture, *, tenant_rules: bool, overrides_act: bool
    ) -> Layers:
        """What the set of a tenant is made of at this moment.

        Raises:
            PolicySetUnavailable: a system policy is missing from the database.
            InvalidPolicy: a stored policy cannot be judged.
            DatabaseUnavailable: as `find`.
        """
        async with self._database.tenant(org_id) as connection:
            switched = await store.switches(connection)
            rows = await store.written_rows(connection, org_id, tenant_id) if tenant_rules else []
            written = await store.overrides(connection) if overrides_act else []
        book = OverrideBook(each for each in written if each.org_id == org_id)
        scope = book.scope_of(org_id, tenant_id)
        held = {} if scope is None else book.holding(scope, datetime.now(UTC))[0]
        shared = (await self._base(rows_in_force(switched))).with_posture(posture)
        return Layers(shared, tuple(written_policy(row) for row in rows), held)

    async def close(self) -> None:
        """Give up what is being compiled."""
        tasks = list(self._shared.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _base(self, rows: list[Policy]) -> PolicySet:
        """The product's policies as they stood, compiled once; whoever comes meanwhile waits for the same."""
        rows = _as_in_the_catalogue(rows)
        key = hashlib.sha256(msgspec.json.encode(rows, order="deterministic")).hexdigest()
        task = self._shared.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._shared[key] = asyncio.create_task(self._compiled(rows))
            if len(self._shared) > MOST_SHARED:
                self._shared.popitem(last=False)
        self._shared.move_to_end(key)
        return await asyncio.shield(task)

    async def _compiled(self, rows: list[Policy]) -> PolicySet:
        key = dump_key([row.pattern for row in rows])
        async with self._database.platform() as connection:
            dump = await store.load_dump(connection, key)
        made = await asyncio.to_thread(PolicySet.compile, rows, Posture(), dump, keep_disabled=True)
        if not made.compiled_from_dump and (fresh := made.dump()):
            async with self._database.platform() as connection:
                await store.keep_dump(connection, key, fresh)
        return made


def _as_in_the_catalogue(rows: list[Policy]) -> list[Policy]:
    """The rows in the order that the engine compiles, beside those that were off: then the dump of the agent fits."""
    known = {row.id for row in rows}
    off = (msgspec.structs.replace(row, enabled=False) for row in catalogue() if row.id not in known)
    return sorted((*rows, *off), key=lambda row: row.id)


def _why(stored: StoredSet, made: PolicySet, left_out: list[Policy]) -> tuple[str, ...]:
    """What differs between the release that decided and this one."""
    why = [f"this release has no validator {row.validator}, so {row.id} is left out" for row in left_out]
    if stored.catalogue_version != CATALOGUE_VERSION:
        why.append(f"catalogue version {stored.catalogue_version} decided, this release has {CATALOGUE_VERSION}")
    now = engine_version(made.engine)
    then = stored.engine_version or stored.engine
    if then not in {now, made.engine}:
        why.append(f"engine {then} decided, this release has {now}")
    if stored.readings_version and str(READINGS_VERSION) != stored.readings_version:
        why.append(f"readings {stored.readings_version} decided, this release has {READINGS_VERSION}")
    return tuple(why or ["the set was kept by a release that left out what its hash covers"])
