"""Static policies on the wire, and the one table of category words that closed SDK enums lack.

The shape is the contract's (agent §1.11); what SDKs do not model stands in ``metadata``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

from axonflow_contracts.verdicts import Action, Severity, Tier

# One unknown word breaks a whole list in an SDK with closed enums, so these never go out as `category`.
_CATEGORY_ON_WIRE: Mapping[str, str] = MappingProxyType(
    {
        "security-dangerous": "security-admin",
        "custom": "code-compliance",
        "compliance-rbi": "code-compliance",
        "compliance-sebi": "code-compliance",
        "compliance-euaiact": "code-compliance",
        "compliance-masfeat": "code-compliance",
    }
)

# Words of the 2.x API; the destructive statements it called dangerous queries are rows of security-sqli today.
_LEGACY_CATEGORIES: Mapping[str, str] = MappingProxyType(
    {
        "sql_injection": "security-sqli",
        "dangerous_queries": "security-sqli",
        "admin_access": "security-admin",
        "pii_detection": "pii-global",
    }
)


# Every category that a static policy may have (contract, agent §3.1).
STATIC_CATEGORIES = frozenset(
    {
        "security-sqli",
        "security-admin",
        "security-dangerous",
        "pii-global",
        "pii-us",
        "pii-eu",
        "pii-india",
        "pii-singapore",
        "pii-indonesia",
        "sensitive-data",
        "code-secrets",
        "code-unsafe",
        "code-compliance",
        "custom",
        "compliance-rbi",
        "compliance-sebi",
        "compliance-euaiact",
        "compliance-masfeat",
        "media-safety",
        "media-biometric",
        "media-document",
        "media-pii",
    }
)


def wire_category(category: str) -> str:
    """The word for ``category`` that every SDK knows (rulings §1)."""
    return _CATEGORY_ON_WIRE.get(category, category)


def current_category(word: str) -> str:
    """Today's word for a category named as a filter; older names are translated."""
    return _LEGACY_CATEGORIES.get(word, word)


def stored_categories(word: str) -> tuple[str, ...]:
    """The true categories that a filter for ``word`` means: itself, and those that go out under it."""
    current = current_category(word)
    return (current, *(true for true, shown in _CATEGORY_ON_WIRE.items() if shown == current))


class PolicyLint(msgspec.Struct, frozen=True, kw_only=True):
    """What the linter has to say of a policy that was written.

    Attributes:
        problem: its kind, such as ``shadowed`` or ``duplicate``.
        message: a sentence for its author.
        other_id: slug of the policy that it collides with, empty for none.
    """

    problem: str
    message: str
    other_id: str = ""


class StaticPolicyMetadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the product knows of a policy beyond the fields that SDKs model.

    Attributes:
        category: the true word, also where ``StaticPolicy.category`` carries a substitute.
        reason: the phrase that a refused caller reads.
        action_request: effective action on requests; absent when requests are not judged.
        action_request_origin: where that action came from, such as ``stored`` or ``env:PII_ACTION``.
        action_response: effective action on responses; absent when responses are not judged.
        action_response_origin: where that action came from.
        validator: name of the check that every match must also pass, such as a checksum.
        lint: findings about a policy that was just written; absent elsewhere.
    """

    category: str
    reason: str = ""
    action_request: Action | None = None
    action_request_origin: str = ""
    action_response: Action | None = None
    action_response_origin: str = ""
    validator: str = ""
    lint: tuple[PolicyLint, ...] = ()


class StaticPolicyOverride(msgspec.Struct, frozen=True, kw_only=True):
    """An override of a system policy as the policy API answers it (agent §3.6).

    Attributes:
        policy_id: the policy's slug.
        action_override: the action in its place; the policy's own where only the switch is overridden, since SDKs
            cannot read an override without it.
        enabled_override: turns the policy on or off; null leaves its switch.
        organization_id: whose override it is.
        tenant_id: null when it holds for every tenant of the organisation.
        expires_at: when it ends by itself; null never.
    """

    id: str
    policy_id: str
    action_override: Action
    override_reason: str
    created_by: str
    created_at: datetime
    organization_id: str
    enabled_override: bool | None = None
    tenant_id: str | None = None
    expires_at: datetime | None = None
    active: bool = True


class StaticPolicyOverrideList(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``GET /api/v1/static-policies/overrides``; ``overrides`` is never null."""

    overrides: tuple[StaticPolicyOverride, ...]
    count: int


class StaticPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """One static policy as the policy API answers it.

    Attributes:
        id: UUID of the row.
        policy_id: the stable slug, such as ``sys_pii_ssn``.
        pattern: RE2 syntax.
        action: the stored action; the effective ones stand in ``metadata``.
        priority: higher is judged first.
    """

    id: str
    policy_id: str
    name: str
    category: str
    tier: Tier
    pattern: str
    severity: Severity
    action: Action
    enabled: bool
    priority: int
    created_at: datetime
    updated_at: datetime
    metadata: StaticPolicyMetadata
    description: str = ""
    version: int = 1
    tags: tuple[str, ...] = ()
    tenant_id: str = "global"
    organization_id: str | msgspec.UnsetType = msgspec.UNSET
    org_id: str | msgspec.UnsetType = msgspec.UNSET
    has_override: bool = False
    override: StaticPolicyOverride | msgspec.UnsetType = msgspec.UNSET
    created_by: str = "system"
    updated_by: str = "system"


class EffectiveStaticPolicy(StaticPolicy, frozen=True, kw_only=True):
    """A static policy as it acts for a tenant: ``enabled`` is after its override, whose parts stand beside it."""

    override_action: Action | msgspec.UnsetType = msgspec.UNSET
    override_enabled: bool | msgspec.UnsetType = msgspec.UNSET
    override_expires_at: datetime | msgspec.UnsetType = msgspec.UNSET
    override_reason: str | msgspec.UnsetType = msgspec.UNSET


class EffectiveStaticPolicies(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``GET /api/v1/static-policies/effective``; ``static`` is never null."""

    static: tuple[EffectiveStaticPolicy, ...]
    tenant_id: str
    organization_id: str
    computed_at: datetime


# The database's words for a change, and the contract's.
CHANGES: Mapping[str, str] = MappingProxyType(
    {
        "create": "created",
        "update": "updated",
        "delete": "deleted",
        "enable": "enabled",
        "disable": "disabled",
        "override": "overridden",
    }
)


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a policy, static or dynamic.

    Attributes:
        change_type: a word of `CHANGES`.
        snapshot: the policy as it stood after the change.
    """

    id: str
    policy_id: str
    version: int
    change_type: str
    change_summary: str
    changed_by: str
    changed_at: datetime
    snapshot: Mapping[str, Any]


class PolicyVersions(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``GET …/{id}/versions``, newest first, as many as the edition shows."""

    policy_id: str
    versions: tuple[PolicyVersion, ...]
    count: int


class PatternMatch(msgspec.Struct, frozen=True, kw_only=True):
    """What a pattern found in one input.

    Attributes:
        matches: the texts it found, the first few of a flood.
        groups: the first match's captures, empty text for one that took no part; SDKs read no null here.
    """

    input: str
    matched: bool
    matches: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class PatternTest(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``POST /api/v1/static-policies/test``; ``results`` and ``matches`` are the same list."""

    valid: bool
    pattern: str
    inputs: tuple[str, ...] = ()
    results: tuple[PatternMatch, ...] = ()
    matches: tuple[PatternMatch, ...] = ()
    error: str | None = None


class Pagination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page stands in its list; pages count from 1."""

    page: int
    page_size: int
    total: int
    total_pages: int


class StaticPolicyList(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``GET /api/v1/static-policies``; ``policies`` is never null."""

    policies: tuple[StaticPolicy, ...]
    pagination: Pagination


class SourceError(msgspec.Struct, frozen=True, kw_only=True):
    """A backend that could not be read.

    Attributes:
        source: ``agent`` or ``orchestrator``.
        status: its HTTP status, or null when it gave no usable answer.
        message: a sentence that names the cause and the variable to mend.
    """

    source: str
    status: int | None
    message: str


class UnifiedPolicyList(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``GET /api/v1/portal/policies``; ``total`` counts the rows that match, over all sources read."""

    policies: tuple[StaticPolicy, ...]
    total: int
    partial: bool
    source_errors: tuple[SourceError, ...]
