"""An override as it is stored, and the words it goes out in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from axonflow_contracts.policies import StaticPolicyOverride
from axonflow_contracts.verdicts import Action
from axonflow_policy import PolicyOverride


class ActiveOverride(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``policy_overrides`` that holds now.

    Attributes:
        tenant_id: None: for every tenant of the organisation.
        policy_id: the system policy's slug.
        stored_action: the policy's own.
    """

    id: UUID
    org_id: str
    tenant_id: str | None
    policy_id: str
    action_override: Action | None
    enabled_override: bool | None
    override_reason: str
    expires_at: datetime | None
    created_by: str
    created_at: datetime
    stored_action: Action

    @property
    def judged(self) -> PolicyOverride:
        """As the policy engine takes it."""
        return PolicyOverride(str(self.id), self.action_override, self.enabled_override)

    def switches(self, *, enabled: bool) -> bool:
        """Whether a policy whose own switch is ``enabled`` is on."""
        return enabled if self.enabled_override is None else self.enabled_override


def on_wire(row: ActiveOverride) -> StaticPolicyOverride:
    """An override in the contract's shape."""
    return StaticPolicyOverride(
        id=str(row.id),
        policy_id=row.policy_id,
        action_override=row.action_override or row.stored_action,
        enabled_override=row.enabled_override,
        override_reason=row.override_reason,
        organization_id=row.org_id,
        tenant_id=row.tenant_id,
        expires_at=row.expires_at,
        created_by=row.created_by,
        created_at=row.created_at,
    )


def by_policy(rows: Iterable[ActiveOverride]) -> dict[str, ActiveOverride]:
    """The one that acts for each policy: a tenant's own comes before its organisation's."""
    return {row.policy_id: row for row in sorted(rows, key=lambda row: row.tenant_id is not None)}
