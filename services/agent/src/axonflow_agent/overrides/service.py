"""Overriding the product's own policies: who may, how far, for how long. No HTTP, no SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import StaticPolicyOverride, StaticPolicyOverrideList
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Action, Phase, Severity, Tier
from axonflow_database import Connection, Database
from axonflow_governance.changes import Author, ChangeRecord
from axonflow_policy import Policy, effective_action

from axonflow_agent.overrides import records, store
from axonflow_agent.overrides.expiry import expiry_row
from axonflow_agent.overrides.records import ActiveOverride
from axonflow_agent.overrides.store import NewOverride
from axonflow_agent.policies.bodies import word
from axonflow_agent.policies.refusals import refused
from axonflow_agent.policies.service import POLICY_NOT_FOUND, tenant_transaction
from axonflow_agent.policies.store import StoredPolicy, find

NOT_FOUND = "Override not found"
LONGEST_REASON = 2000
LAST_YEAR = 9000


class OverrideBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a create; ``organization_id`` makes it hold for every tenant of the organisation."""

    action_override: str | None = None
    enabled_override: bool | None = None
    override_reason: str | None = None
    expires_at: datetime | None = None
    organization_id: str | None = None
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideService:
    """Writes and shows overrides.

    Attributes:
        database: where they are kept.
        in_force: the policies of the set that judges now, those that are off included, by slug.
        posture: the operator's levers.
        allowed: whether the edition has overrides.
        strict: the operator lets overrides be as strict as what they replace, or stricter, and nothing else.
        changes: keeps a row for each change.
    """

    database: Database
    in_force: Callable[[], Mapping[str, Policy]]
    posture: Posture
    allowed: bool
    strict: bool
    changes: ChangeRecord

    async def acting(self, caller: Caller) -> StaticPolicyOverrideList:
        """The overrides that act for a caller's tenant, its organisation's included.

        Raises:
            Fault: 503, PostgreSQL does not answer.
        """
        async with tenant_transaction(self.database, caller) as connection:
            held = await self._held(connection, caller)
        shown = tuple(records.on_wire(row) for row in held)
        return StaticPolicyOverrideList(overrides=shown, count=len(shown))

    async def one(self, key: str, caller: Caller) -> StaticPolicyOverride:
        """The override that acts on a policy for a caller: its tenant's own before its organisation's.

        Raises:
            Fault: 404 without the policy or without an override of it, 503.
        """
        async with tenant_transaction(self.database, caller) as connection:
            policy = await _policy(connection, key, caller)
            acting = records.by_policy(await self._held(connection, caller)).get(policy.policy_id)
        if acting is None or policy.tier is not Tier.SYSTEM:
            raise Fault(404, NOT_FOUND)
        return records.on_wire(acting)

    async def create(self, key: str, body: OverrideBody, author: Author) -> StaticPolicyOverride:
        """Override a policy for the author's tenant, or for its organisation.

        Raises:
            Fault: 400 for a field, 403 for the edition or for what may not be weakened, 404, 409 where the scope has
                one already, 503.
        """
        self._require_edition()
        caller, new = author.caller, _new(key, body, author)
        async with tenant_transaction(self.database, caller) as connection:
            policy = await _policy(connection, key, caller)
            if policy.tier is not Tier.SYSTEM:
                raise Fault(400, "Only system policies are overridden: change the policy itself")
            weakens = self._weakens(new, policy, await self._held(connection, caller))
            if weakens:
                self._require_weakening(policy)
            await self._make_room(connection, caller, policy.policy_id)
            made = await store.insert(connection, msgspec.structs.replace(new, policy_id=policy.policy_id))
            if made is None:
                raise Fault(409, "Override already exists for this policy")
            await self._keep(author, made, "created", weakens=weakens)
        return records.on_wire(made)

    async def delete(self, key: str, author: Author, organization_id: str | None = None) -> None:
        """End the override of a policy: the tenant's own, else its organisation's.

        Args:
            key: UUID or slug of the policy.
            author: who ends it.
            organization_id: given, the organisation's is meant even where the tenant has one of its own.

        Raises:
            Fault: 403 for the edition, 404, 503.
        """
        self._require_edition()
        caller = author.caller
        _require_own(organization_id, caller.org_id, "organization_id")
        async with tenant_transaction(self.database, caller) as connection:
            policy = await _policy(connection, key, caller)
            held = [row for row in await self._held(connection, caller) if not organization_id or not row.tenant_id]
            acting = records.by_policy(held).get(policy.policy_id)
            if acting is None or not await store.end(connection, acting, author.name):
                raise Fault(404, NOT_FOUND)
            await self._keep(author, acting, "deleted", weakens=False)

    async def _make_room(self, connection: Connection, caller: Caller, policy_id: str) -> None:
        """End what ran out and was not swept yet: it would stand in the new one's place."""
        for expired in await store.read_expired(connection, org_id=caller.org_id, policy_id=policy_id):
            await self.changes.write(expiry_row(expired))
            await store.end_expired(connection, expired)

    async def _held(self, connection: Connection, caller: Caller) -> list[ActiveOverride]:
        if not self.allowed:
            return []
        return await store.read_holding(connection, org_id=caller.org_id, tenant_id=caller.tenant_id)

    def _require_edition(self) -> None:
        if not self.allowed:
            raise refused("Policy overrides require Enterprise license")

    def _require_weakening(self, policy: StoredPolicy) -> None:
        if policy.severity is Severity.CRITICAL:
            raise refused("An override cannot weaken a policy of critical severity")
        if self.strict:
            raise refused("AXONFLOW_OVERRIDE_STRICT lets an override be stricter than its policy, never weaker")

    def _weakens(self, new: NewOverride, policy: StoredPolicy, held: list[ActiveOverride]) -> bool:
        """Whether less would be enforced than the policy stores, the levers ask for, or its organisation overrides."""
        if new.enabled_override is False:
            return True
        if new.action_override is None:
            return False
        replaced: set[Action | None] = {policy.action}
        judged = self.in_force().get(policy.policy_id)
        if judged is not None:
            replaced |= {judged.action_request, judged.action_response}
            replaced |= {effective_action(judged, phase, self.posture).action for phase in Phase}
        if new.tenant_id is not None:
            above = (row for row in held if row.policy_id == policy.policy_id and row.tenant_id is None)
            replaced |= {row.action_override for row in above}
        return any(action is not None and new.action_override.strength < action.strength for action in replaced)

    async def _keep(self, author: Author, row: ActiveOverride, what: str, *, weakens: bool) -> None:
        details: dict[str, object] = {
            "change_type": f"override_{what}",
            "policy_id": row.policy_id,
            "override_id": str(row.id),
            "scope": "organization" if row.tenant_id is None else "tenant",
            "action_override": row.action_override.value if row.action_override else None,
            "enabled_override": row.enabled_override,
            "stored_action": row.stored_action.value,
            "override_reason": row.override_reason,
            "expires_at": row.expires_at.isoformat() if row.expires_at else None,
            "weakens": weakens,
        }
        await self.changes.keep(author, f"policy override {what}", details)


async def _policy(connection: Connection, key: str, caller: Caller) -> StoredPolicy:
    row = await find(connection, key, org_id=caller.org_id, tenant_id=caller.tenant_id)
    if row is None:
        raise Fault(404, POLICY_NOT_FOUND)
    return row


def _new(key: str, body: OverrideBody, author: Author) -> NewOverride:
    caller, reason = author.caller, (body.override_reason or "").strip()
    if not reason:
        raise Fault(400, "override_reason is required")
    if len(reason) > LONGEST_REASON or "\0" in reason:
        raise Fault(400, f"override_reason must be at most {LONGEST_REASON} characters of text")
    action = word(body.action_override, Action, "Invalid action_override") if body.action_override else None
    if action is None and body.enabled_override is None:
        raise Fault(400, "action_override or enabled_override is required")
    _require_own(body.organization_id, caller.org_id, "organization_id")
    _require_own(body.tenant_id, caller.tenant_id, "tenant_id")
    return NewOverride(
        org_id=caller.org_id,
        tenant_id=None if body.organization_id and not body.tenant_id else caller.tenant_id,
        policy_id=key,
        action_override=action,
        enabled_override=body.enabled_override,
        override_reason=reason,
        expires_at=_end(body.expires_at),
        created_by=author.name,
    )


def _require_own(given: str | None, own: str, name: str) -> None:
    if given and given != own:
        raise refused(f"{name} does not match authenticated identity")


def _end(given: datetime | None) -> datetime | None:
    if given is None:
        return None
    end = given if given.tzinfo else given.replace(tzinfo=UTC)  # SDKs send UTC without saying so
    if end <= datetime.now(UTC):
        raise Fault(400, "expires_at must be in the future")
    if end.year > LAST_YEAR:  # a zone could carry later ones beyond what can be read back
        raise Fault(400, f"expires_at must be before the year {LAST_YEAR + 1}")
    return end
