"""Reading rules: stored ones and the product's own, whatever a caller may know of. No HTTP, no SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from axonflow_contracts.caller import Caller
from axonflow_contracts.policies import PolicyVersions
from axonflow_database import Database
from axonflow_policy import RuleSet

from axonflow_orchestrator.tenant_policies import store, wire
from axonflow_orchestrator.tenant_policies.query import TIERS, ListQuery, select
from axonflow_orchestrator.tenant_policies.records import StoredRule
from axonflow_orchestrator.tenant_policies.refusals import not_found, transaction, unknown_rules
from axonflow_orchestrator.tenant_policies.source import RuleSource, RulesUnknown

UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class RuleReader:
    """Lists and shows rules.

    Attributes:
        source: the rules in force, for what says what acts now.
        versions_shown: changes of a rule that the edition shows; -1 is all.
    """

    database: Database
    source: RuleSource
    versions_shown: int

    async def rows(self, caller: Caller) -> list[StoredRule]:
        """Every rule that the caller may know of, the product's first.

        Raises:
            Fault: 503.
        """
        async with transaction(self.database, caller.org_id) as connection:
            stored = await store.read_all(connection, caller.org_id, tenant_of(caller))
        return [*wire.system_rows(), *stored]

    async def page(self, query: ListQuery, caller: Caller) -> wire.DynamicPolicyList:
        """One page.

        Raises:
            Fault: 503; an empty list would say that there are none.
        """
        found = select(await self.rows(caller), query)
        return wire.page_of(found, page=query.page, offset=query.offset, limit=query.limit)

    async def row(self, rule_id: str, caller: Caller) -> StoredRule:
        """One rule.

        Raises:
            Fault: 404, 503.
        """
        system = next((row for row in wire.system_rows() if row.id == rule_id), None)
        if system is not None:
            return system
        async with transaction(self.database, caller.org_id) as connection:
            found = await store.find(connection, rule_id, caller.org_id, tenant_of(caller))
        if found is None:
            raise not_found()
        return found

    async def effective(self, caller: Caller, *, category: str, include_disabled: bool) -> wire.EffectivePolicies:
        """What acts for the caller's tenant, in order of tier and priority; of equal strength the higher decides.

        Raises:
            Fault: 503.
        """
        rows = [
            row
            for row in await self.rows(caller)
            if (row.enabled or include_disabled) and category in {"", row.category}
        ]
        rows.sort(key=lambda row: (TIERS.index(row.tier), -row.priority, row.id))
        return wire.EffectivePolicies(
            policies=tuple(wire.shown(row) for row in rows),
            count=len(rows),
            tenant_id=caller.tenant_id,
            organization_id=caller.org_id,
            computed_at=datetime.now(UTC),
        )

    async def in_force(self, caller: Caller) -> RuleSet:
        """The compiled rules of the caller's tenant.

        Raises:
            Fault: 503.
        """
        try:
            return await self.source.rules_for(caller.org_id, caller.tenant_id)
        except RulesUnknown as error:
            raise unknown_rules() from error

    async def loaded(self, caller: Caller) -> wire.LoadedPolicies:
        """The same, as they are told.

        Raises:
            Fault: 503.
        """
        rules = await self.in_force(caller)
        policies = (*rules.rules, *rules.broken)
        return wire.LoadedPolicies(policies=policies, count=len(policies), rules_hash=rules.hash)

    async def versions(self, rule_id: str, caller: Caller) -> PolicyVersions:
        """The changes of a rule, newest first.

        Raises:
            Fault: 404, 503.
        """
        row = await self.row(rule_id, caller)
        if row.org_id != caller.org_id:
            return wire.versions_of(row.id, [])  # the product's own
        limit = None if self.versions_shown == UNLIMITED else self.versions_shown
        async with transaction(self.database, caller.org_id) as connection:
            return wire.versions_of(row.id, await store.read_versions(connection, row, limit))


def tenant_of(caller: Caller) -> str | None:
    """Whose rules a caller sees; None, all of the organisation, for a service that acts for its operator."""
    return caller.tenant_id or None
