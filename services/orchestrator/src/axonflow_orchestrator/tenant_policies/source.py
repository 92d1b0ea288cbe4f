"""The rules that judge each tenant's calls: compiled once a change, in step on every replica.

A rule that is stored and cannot be judged, which a write never leaves behind, blocks its tenants' calls under its own
name until it is mended or deleted (`RuleSet.compile_stored`): every replica does the same, and nothing vanishes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

from axonflow_database import Connection, Database, DatabaseUnavailable, Held, HeldByTenant, Prints
from axonflow_policy import RuleSet
from axonflow_policy.system_rules import system_rules

from axonflow_orchestrator.tenant_policies import store
from axonflow_orchestrator.tenant_policies.records import StoredRule

logger = logging.getLogger("axonflow.orchestrator.tenant_policies")

CHANNEL = "axonflow_rules"
MOST_TENANTS = 256


class RulesUnknown(Exception):
    """The tenant's rules were never read and cannot be now; without them no verdict is sound: answer 503."""


class TenantRules(Held):
    """One tenant's rules.

    Attributes:
        rules: what judges now; None before the first load.
    """

    __slots__ = ("rules",)

    def __init__(self, org_id: str, tenant_id: str) -> None:
        super().__init__(org_id, tenant_id)
        self.rules: RuleSet | None = None

    def print_in(self, prints: Prints) -> tuple[str | None, str | None]:
        """The state of the organisation's rows and of the tenant's own."""
        return prints.get((self.org_id, "")), prints.get((self.org_id, self.tenant_id))


class RuleSource(HeldByTenant[TenantRules]):
    """Holds the rules of the tenants that call.

    Args:
        database: where the rows are.
        most: how many tenants' rules are held at once.
    """

    def __init__(self, database: Database, *, most: int = MOST_TENANTS) -> None:
        super().__init__(database, CHANNEL, TenantRules, most=most)

    async def rules_for(self, org_id: str, tenant_id: str) -> RuleSet:
        """The product's, the organisation's and the tenant's rules; the first call for a tenant reads them.

        None of them takes anything from another: the strongest action decides, then the higher priority.

        Raises:
            RulesUnknown: they cannot be read, and none were loaded before.
        """
        try:
            held = await self.held_for(org_id, tenant_id)
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
            await self.renew(org_id)
        except DatabaseUnavailable as error:
            logger.warning("rules were written and cannot be re-read yet (%s)", error, extra={"org_id": org_id})

    async def prints(self, connection: Connection, org_ids: Iterable[str]) -> Prints:
        """As `store.prints`."""
        return await store.prints(connection, org_ids)

    async def load(self, held: TenantRules) -> None:
        """Read and compile a tenant's rules."""
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
