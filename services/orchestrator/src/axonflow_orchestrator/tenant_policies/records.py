"""A dynamic policy as it is stored, and the part of it that its owner writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from axonflow_contracts.verdicts import Tier
from axonflow_policy import Condition, Phases, RuleAction, TenantRule


class RuleFields(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a rule that its owner may change."""

    name: str
    description: str
    type: str
    category: str
    conditions: tuple[Condition, ...]
    actions: tuple[RuleAction, ...]
    phases: Phases
    priority: int
    enabled: bool
    tags: tuple[str, ...]

    def judged_as(self, rule_id: str, tier: Tier, version: int = 1) -> TenantRule:
        """The rule that the engine judges."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return TenantRule(id=rule_id, tier=tier, version=version, **fields)


class StoredRule(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``dynamic_policies``, or one of the product's own rules.

    Attributes:
        tenant_id: empty for a rule of the whole organisation.
        readable: false where conditions or actions are not what this release writes; both are empty then.
    """

    org_id: str
    id: str
    tier: Tier
    tenant_id: str
    name: str
    description: str
    type: str
    category: str
    conditions: tuple[Condition, ...]
    actions: tuple[RuleAction, ...]
    phases: Phases
    priority: int
    enabled: bool
    version: int
    tags: tuple[str, ...]
    created_by: str
    updated_by: str
    created_at: datetime
    updated_at: datetime
    readable: bool = True

    @property
    def fields(self) -> RuleFields:
        """What its owner may change."""
        return RuleFields(**{name: getattr(self, name) for name in RuleFields.__struct_fields__})

    @property
    def rule(self) -> TenantRule:
        """The rule that the engine judges."""
        return self.fields.judged_as(self.id, self.tier, self.version)


class StoredVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``dynamic_policy_versions``; ``change_type`` in the words of the database, such as ``create``."""

    id: str
    version: int
    change_type: str
    change_summary: str
    snapshot: Mapping[str, Any]
    changed_by: str
    changed_at: datetime
