"""Static policies on the wire, and the one table of category words that closed SDK enums lack.

The shape is the contract's (agent §1.11); what SDKs do not model stands in ``metadata``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

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
    """

    category: str
    reason: str = ""
    action_request: Action | None = None
    action_request_origin: str = ""
    action_response: Action | None = None
    action_response_origin: str = ""
    validator: str = ""


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
    created_by: str = "system"
    updated_by: str = "system"


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
