"""Dynamic policies on the wire (orchestrator contract section 1.8, the SDKs' section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from axonflow_contracts.policies import CHANGES, Pagination, PolicyLint, PolicyVersion, PolicyVersions
from axonflow_contracts.verdicts import Tier
from axonflow_database import SYSTEM_ORG
from axonflow_policy import Condition, Phases, RuleAction, TenantRule
from axonflow_policy.system_rules import system_rules

from axonflow_orchestrator.tenant_policies.records import RuleFields, StoredRule, StoredVersion

GLOBAL, SYSTEM = "global", "system"
# The product's rules came with this release and never changed since.
_RELEASED = datetime(2026, 11, 25, tzinfo=UTC)


class PolicyMetadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the product knows of a rule beyond the fields that SDKs model.

    Attributes:
        lint: findings about a rule that was just written.
        problem: why a stored rule cannot be judged; while it is on, it blocks its tenants' calls.
    """

    lint: tuple[PolicyLint, ...] = ()
    problem: str = ""


class DynamicPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """One rule."""

    id: str
    name: str
    description: str
    type: str
    category: str
    tier: Tier
    conditions: tuple[Condition, ...]
    actions: tuple[RuleAction, ...]
    phases: Phases
    priority: int
    enabled: bool
    version: int
    tags: tuple[str, ...]
    org_id: str | msgspec.UnsetType
    organization_id: str | msgspec.UnsetType
    tenant_id: str
    created_by: str
    updated_by: str
    created_at: datetime
    updated_at: datetime
    metadata: PolicyMetadata = PolicyMetadata()


class DynamicPolicyList(msgspec.Struct, frozen=True, kw_only=True):
    """One page; ``policies`` is never null."""

    policies: tuple[DynamicPolicy, ...]
    pagination: Pagination
    total: int


class EffectivePolicies(msgspec.Struct, frozen=True, kw_only=True):
    """Every rule that judges a tenant's calls: the product's, the organisation's, the tenant's, each by priority."""

    policies: tuple[DynamicPolicy, ...]
    count: int
    tenant_id: str
    organization_id: str
    computed_at: datetime


class LoadedPolicies(msgspec.Struct, frozen=True, kw_only=True):
    """The rules that this process judges a tenant's calls by at this moment."""

    policies: tuple[TenantRule, ...]
    count: int
    rules_hash: str


def system_rows() -> list[StoredRule]:
    """The product's own rules as rows."""
    return [
        StoredRule(
            org_id=SYSTEM_ORG,
            id=rule.id,
            tier=Tier.SYSTEM,
            tenant_id=GLOBAL,
            version=rule.version,
            created_by=SYSTEM,
            updated_by=SYSTEM,
            created_at=_RELEASED,
            updated_at=_RELEASED,
            **{name: getattr(rule, name) for name in RuleFields.__struct_fields__},
        )
        for rule in system_rules()
    ]


def shown(row: StoredRule, metadata: PolicyMetadata | None = None) -> DynamicPolicy:
    """A row on the wire."""
    if metadata is None:
        metadata = (
            PolicyMetadata() if row.readable else PolicyMetadata(problem="its conditions or actions are no rule's")
        )
    return DynamicPolicy(
        **{name: getattr(row, name) for name in RuleFields.__struct_fields__},
        id=row.id,
        tier=row.tier,
        version=row.version,
        org_id=msgspec.UNSET if row.tier is Tier.SYSTEM else row.org_id,
        organization_id=row.org_id if row.tier is Tier.ORGANIZATION else msgspec.UNSET,
        tenant_id=row.tenant_id,
        created_by=row.created_by,
        updated_by=row.updated_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        metadata=metadata,
    )


def page_of(rows: Sequence[StoredRule], *, page: int, offset: int, limit: int) -> DynamicPolicyList:
    """One page of ``rows``."""
    total = len(rows)
    return DynamicPolicyList(
        policies=tuple(shown(row) for row in rows[offset : offset + limit]),
        pagination=Pagination(page=page, page_size=limit, total=total, total_pages=-(-total // limit)),
        total=total,
    )


def versions_of(policy_id: str, found: Sequence[StoredVersion]) -> PolicyVersions:
    """A history on the wire."""
    versions = tuple(
        PolicyVersion(
            id=each.id,
            policy_id=policy_id,
            version=each.version,
            change_type=CHANGES[each.change_type],
            change_summary=each.change_summary,
            changed_by=each.changed_by,
            changed_at=each.changed_at,
            snapshot=each.snapshot,
        )
        for each in found
    )
    return PolicyVersions(policy_id=policy_id, versions=versions, count=len(versions))
