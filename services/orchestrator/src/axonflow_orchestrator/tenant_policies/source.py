"""The rules that judge each tenant's calls: read on demand, compiled once a change, in step on every replica.

A rule that is stored and cannot be judged, which a write never leaves behind, blocks its tenants' calls under its own
name until it is mended or deleted (`RuleSet.compile_stored`): every replica does the same, and nothing vanishes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence

from axonflow_database import Database, DatabaseUnavailable, Follower
from axonflow_policy import RuleSet
from axonflow_policy.system_rules import system_rules

from axonflow_orchestrator.tenant_policies import store
from axonflow_orchestrator.tenant_policies.records import StoredRule

logger = logging.getLogger("axonflow.orchestrator.tenant_policies")

CHANNEL = "axonflow_rules"
MOST_TENANTS = 256


class RulesUnknown(Exception):
    """The tenant's rules were never read and cannot be now; without them no verdict is sound: answer 503."""


class _Held:
    """One tenant's rules, swapped whole.

    Attributes:
        rules: what judges now; None before the first load.
        seen: which state of the stored rows they are.
        loading: the load under way, which all who need it share.
    """

    __slots__ = ("loading", "org_id", "rules", "seen", "tenant_id")

    def __init__(self, org_id: str, tenant_id: str) -> None:
        self.org_id = org_id
        self.tenant_id = tenant_id
        self.rules: RuleSet | None = None
        self.seen: tuple[str | None, str | None] | None = None
        self.loading: asyncio.Task[None] | None = None

    def print_in(self, prints: store.Prints) -> tuple[str | None, str | None]:
        """The state of the organisation's rows and of the tenant's own."""
        return prints.get((self.org_id, "")), prints.get((self.org_id, self.tenant_id))


class RuleSource:
    """Holds the rules of the tenants that call, the least used forgotten.

    Args:
        database: where the rows are.
        most: how many tenants' rules are held at once.
    """

    def __init__(self, database: Database, *, most: int = MOST_TENANTS) -> None:
        self._database = database
        self._most = most
        self._held: OrderedDict[tuple[str, str], _Held] = OrderedDict()
        self._follower: Follower[bool] = Follower(database, CHANNEL, self._refresh)

    @property
    def age_s(self) -> float:
        """Seconds since the rules were last known to be what the database holds."""
        return self._follower.age_s

    def __len__(self) -> int:
        return len(self._held)

    async def start(self) -> None:
        """Follow changes.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        await self._follower.start()

    async def close(self) -> None:
        """Stop following; the rules stay in force."""
        await self._follower.close()
        loads = [held.loading for held in self._held.values() if held.loading]
        for load in loads:
            load.cancel()
        await asyncio.gather(*loads, return_exceptions=True)

    async def rules_for(self, org_id: str, tenant_id: str) -> RuleSet:
        """The product's, the organisation's and the tenant's rules; the first call for a tenant reads them.

        None of them takes anything from another: the strongest action decides, then the higher priority.

        Raises:
            RulesUnknown: they cannot be read, and none were loaded before.
        """
        held = self._held_for(org_id, tenant_id)
        if held.rules is None:
            try:
                await self._load_once(held)
            except DatabaseUnavailable as error:
                raise RulesUnknown("the tenant's rules cannot be read: PostgreSQL does not answer") from error
        if held.rules is None:
            raise RulesUnknown("the tenant's rules cannot be read")
        return held.rules

    async def follow_write(self, org_id: str) -> None:
        """Act by what was just committed for an organisation, before whoever wrote it is answered.

        Where PostgreSQL goes away in this very moment the last known rules go on, as they do everywhere.
        """
        try:
            await self._renew([held for held in self._held.values() if held.org_id == org_id])
        except DatabaseUnavailable as error:
            logger.warning("rules were written and cannot be re-read yet (%s)", error, extra={"org_id": org_id})

    def _held_for(self, org_id: str, tenant_id: str) -> _Held:
        key = (org_id, tenant_id)
        held = self._held.get(key)
        if held is None:
            # Held before it is read: a change from here on is seen by `_refresh`, which waits for the read.
            held = self._held[key] = _Held(org_id, tenant_id)
            if len(self._held) > self._most:
                self._held.popitem(last=False)
        else:
            self._held.move_to_end(key)
        return held

    async def _refresh(self) -> bool:
        await self._renew(list(self._held.values()))
        return True

    async def _renew(self, some: Sequence[_Held]) -> None:
        if not some:
            return
        for held in some:
            if held.loading is not None:
                await asyncio.wait({held.loading})
        async with self._database.platform() as connection:
            prints = await store.prints(connection, {held.org_id for held in some})
        for held in some:
            if held.rules is not None and held.seen != held.print_in(prints):
                await self._load_once(held)

    async def _load_once(self, held: _Held) -> None:
        if held.loading is None:
            held.loading = asyncio.create_task(self._load(held))
            held.loading.add_done_callback(lambda done: _loaded(held, done))
        await asyncio.shield(held.loading)

    async def _load(self, held: _Held) -> None:
        async with self._database.platform() as connection:
            # The prints first: what changes between the two is seen by the next look.
            seen = held.print_in(await store.prints(connection, [held.org_id]))
            rows = await store.in_force(connection, held.org_id, held.tenant_id)
        rules = await asyncio.to_thread(compiled, rows)
        for broken in rules.broken:
            whose = {"org_id": held.org_id, "tenant_id": held.tenant_id, "policy_id": broken.id}
            logger.error("a stored rule cannot be judged: every call is blocked in its name", extra=whose)
        held.rules, held.seen = rules, seen


def compiled(rows: Sequence[StoredRule]) -> RuleSet:
    """Stored rules and the product's own as one set."""
    readable = (row.rule for row in rows if row.readable)
    return RuleSet.compile_stored((*system_rules(), *readable), (row.rule for row in rows if not row.readable))


def _loaded(held: _Held, done: asyncio.Task[None]) -> None:
    held.loading = None
    if not done.cancelled():
        done.exception()  # whoever waits is told; nobody may be left
