"""Tenant rules for tests, short to write."""

from __future__ import annotations

from typing import Any

from axonflow_policy.conditions import Condition
from axonflow_policy.rules import RuleAction, TenantRule

Asked = tuple[str, str, Any]


def conditions(*asked: Asked) -> tuple[Condition, ...]:
    """Conditions from triples of field, operator and value."""
    return tuple(Condition(field=field, operator=operator, value=value) for field, operator, value in asked)


def rule(rule_id: str, *asked: Asked, action: str | None = "block", **changes: Any) -> TenantRule:
    """A rule with those conditions and one action; keywords replace fields."""
    actions = () if action is None else (RuleAction(type=action),)
    return TenantRule(
        **{"id": rule_id, "name": rule_id, "conditions": conditions(*asked), "actions": actions} | changes
    )
