"""Writing rules: limits of the edition, one history row and one audit row for each change. No HTTP, no SQL."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_contracts.caller import Caller
from axonflow_contracts.policies import CHANGES
from axonflow_contracts.verdicts import Tier
from axonflow_database import Connection, Database
from axonflow_governance.changes import Author, ChangeRecord
from axonflow_policy.system_rules import system_rules

from axonflow_orchestrator.tenant_policies import store
from axonflow_orchestrator.tenant_policies.bodies import RuleBody, checked, fields_of
from axonflow_orchestrator.tenant_policies.limits import RuleLimits
from axonflow_orchestrator.tenant_policies.reader import tenant_of
from axonflow_orchestrator.tenant_policies.records import RuleFields, StoredRule
from axonflow_orchestrator.tenant_policies.refusals import FieldProblem, forbidden, invalid, not_found, transaction
from axonflow_orchestrator.tenant_policies.source import RuleSource

LONGEST_TENANT = 255
_SYSTEM = frozenset(rule.id for rule in system_rules())


@dataclass(frozen=True, slots=True)
class RuleEditor:
    """Changes the rules of tenants and organisations; the product's own are not its to change.

    Attributes:
        source: what acts by them, told of each change before its author is answered.
    """

    database: Database
    source: RuleSource
    limits: RuleLimits
    changes: ChangeRecord

    async def create(self, body: RuleBody, author: Author) -> StoredRule:
        """A new rule of the author's tenant, or of its whole organisation.

        Raises:
            Fault: 400 for fields, 403 for a tier or a limit, 503 when it cannot be written or recorded.
        """
        async with transaction(self.database, author.caller.org_id) as connection:
            row = await self.add(connection, body, author)
        await self.source.follow_write(author.caller.org_id)
        return row

    async def update(self, rule_id: str, body: RuleBody, author: Author) -> StoredRule:
        """Change some fields; a change that changes nothing makes no version.

        Raises:
            Fault: 400 for fields, 403 for the product's own rules, 404, 503.
        """
        async with transaction(self.database, author.caller.org_id) as connection:
            row = await self._owned(connection, rule_id, author.caller, "modified")
            row = await self.change(connection, row, body, author)
        await self.source.follow_write(author.caller.org_id)
        return row

    async def delete(self, rule_id: str, author: Author) -> None:
        """Take a rule out of force; its row and its history are kept.

        Raises:
            Fault: 403 for the product's own rules, 404, 503.
        """
        async with transaction(self.database, author.caller.org_id) as connection:
            row = await self._owned(connection, rule_id, author.caller, "deleted")
            gone = await store.delete(connection, row, by=author.name)
            if gone is None:
                raise not_found()
            await self._keep(connection, author, gone, "delete", "deleted")
        await self.source.follow_write(author.caller.org_id)

    async def add(self, connection: Connection, body: RuleBody, author: Author) -> StoredRule:
        """As `create`, in a transaction of the caller's, who tells the source.

        Raises:
            Fault: as `create`.
        """
        caller, tier = author.caller, tier_of(body)
        self.limits.require_tier(tier)
        _require_own_organisation(body, caller)
        fields = checked(fields_of(body))
        self.limits.require_fields(fields.conditions)
        tenant_id = "" if tier is Tier.ORGANIZATION else owner_of(caller, body.tenant_id)
        await self.limits.require_room(connection, tier, caller.org_id, tenant_id)
        row = await store.insert(
            connection, fields, org_id=caller.org_id, tier=tier, tenant_id=tenant_id, by=author.name
        )
        await self._keep(connection, author, row, "create", "created")
        return row

    async def change(self, connection: Connection, row: StoredRule, body: RuleBody, author: Author) -> StoredRule:
        """As `update`, of a locked row in a transaction of the caller's, who tells the source.

        Raises:
            Fault: as `update`.
        """
        if body.tier is not None and body.tier != row.tier:
            raise invalid([FieldProblem("tier", "cannot be changed: create the policy anew")])
        _require_own_organisation(body, author.caller)
        fields = fields_of(body, row.fields)
        changed = [name for name in RuleFields.__struct_fields__ if getattr(fields, name) != getattr(row, name)]
        if not changed:
            return row
        if changed != ["enabled"] or fields.enabled or not row.readable:
            checked(fields)
            self.limits.require_fields(fields.conditions)
        written = await store.update(connection, row, fields, by=author.name)
        if written is None:
            raise not_found()
        switched = "enable" if fields.enabled else "disable"
        kind = switched if changed == ["enabled"] else "update"
        await self._keep(connection, author, written, kind, ", ".join(changed))
        return written

    async def _owned(self, connection: Connection, rule_id: str, caller: Caller, done: str) -> StoredRule:
        if rule_id in _SYSTEM:
            raise forbidden(f"System policies cannot be {done} via API")
        row = await store.lock(connection, rule_id, caller.org_id, tenant_of(caller))
        if row is None:
            raise not_found()
        return row

    async def _keep(self, connection: Connection, author: Author, row: StoredRule, kind: str, summary: str) -> None:
        await store.keep_version(connection, row, change_type=kind, summary=summary)
        details: dict[str, object] = {
            "change_type": CHANGES[kind],
            "policy_type": "dynamic",
            "policy_id": row.id,
            "id": row.id,
            "name": row.name,
            "tier": row.tier.value,
            "version": row.version,
            "changed": summary,
            "actions": sorted({action.type for action in row.actions}),
            "enabled": row.enabled,
        }
        await self.changes.keep(
            author, f"dynamic policy {CHANGES[kind]}", details, tenant_id=row.tenant_id or author.caller.tenant_id
        )


def tier_of(body: RuleBody) -> Tier:
    """The tier that a new rule asks for.

    Raises:
        Fault: 400.
    """
    try:
        return Tier(body.tier or Tier.TENANT)
    except ValueError:
        raise invalid([FieldProblem("tier", f"must be one of {', '.join(Tier)}")]) from None


def owner_of(caller: Caller, named: str | None) -> str:
    """For whom a rule is written: the caller's own tenant, whatever a body says.

    Raises:
        Fault: 400, a service that has no tenant of its own names none.
    """
    tenant_id = caller.tenant_id or named or ""
    if not tenant_id or len(tenant_id) > LONGEST_TENANT or not tenant_id.isprintable():
        raise invalid([FieldProblem("tenant_id", "is required of a service that belongs to no tenant")])
    return tenant_id


def _require_own_organisation(body: RuleBody, caller: Caller) -> None:
    if body.organization_id not in {None, "", caller.org_id}:
        raise forbidden("organization_id does not match authenticated identity")
