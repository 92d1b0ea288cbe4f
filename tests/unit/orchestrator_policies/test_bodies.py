"""Bodies of dynamic policies: what is taken, and that every field that cannot be is named."""

from __future__ import annotations

from typing import Any

import pytest
from axonflow_contracts.errors import Fault
from axonflow_orchestrator.tenant_policies.bodies import RuleBody, checked, converted, fields_of

GOOD: dict[str, Any] = {
    "name": "Falcons",
    "conditions": [{"field": "query", "operator": "contains", "value": "falcon"}],
    "actions": [{"type": "block"}],
}


def refused(document: Any) -> list[str]:
    with pytest.raises(Fault) as caught:
        checked(fields_of(converted(document, RuleBody)))
    assert (caught.value.status, caught.value.code) == (400, "VALIDATION_ERROR")
    assert all(each["message"] for each in caught.value.details["details"])
    return [each["field"] for each in caught.value.details["details"]]


def test_a_body_as_the_sdk_sends_it_is_taken() -> None:
    sent = {**GOOD, "description": None, "organization_id": None, "tier": "tenant", "type": "risk", "unknown": 1}
    fields = checked(fields_of(converted(sent, RuleBody)))
    assert (fields.name, fields.type, fields.category, fields.priority, fields.enabled) == (
        "Falcons",
        "risk",
        "dynamic-risk",
        0,
        True,
    )


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": "  "}, ["name"]),
        ({"name": "x" * 256}, ["name"]),
        ({"name": "a\0b"}, ["name"]),
        ({"conditions": []}, ["conditions"]),
        ({"conditions": None}, ["conditions"]),
        ({"conditions": [{"operator": "equals", "value": 1}]}, ["conditions[0]"]),
        ({"priority": 1001}, ["priority"]),
        ({"priority": "high"}, ["priority"]),
        ({"category": "security-sqli"}, ["category"]),
        ({"type": "Not a word"}, ["type"]),
        ({"enabled": "yes", "priority": 1}, ["enabled"]),
        ({"conditions": [{"field": "no.such", "operator": "equals", "value": 1}]}, ["conditions[0]"]),
        ({"conditions": [{"field": "query", "operator": "regex", "value": "("}]}, ["conditions[0]"]),
        ({"conditions": [{"field": "cost_estimate", "operator": ">", "value": 10**309}]}, ["conditions[0]"]),
        ({"actions": [{"type": "dance"}]}, ["actions[0]"]),
        ({"actions": [{"type": "block"}, {"type": "modify_risk"}]}, ["actions[1]"]),
        ({"actions": [{"type": "block", "config": {"message": 7}}]}, ["actions[0]"]),
        ({"actions": [{"type": "log", "config": {"text": "x" * 9000}}]}, ["actions[0]"]),
        ({"actions": [{"type": "route"}]}, ["actions[0]"]),
        ({"actions": [{"type": "route", "config": {"allowed_provider": ["openai"]}}]}, ["actions[0]"]),
        ({"actions": [{"type": "route", "config": {"regions": "eu"}}]}, ["actions[0]"]),
        ({"name": "", "priority": -1, "actions": [{"type": "dance"}]}, ["name", "priority", "actions[0]"]),
    ],
)
def test_what_cannot_be_is_named_field_by_field(changes: dict[str, Any], fields: list[str]) -> None:
    assert refused({**GOOD, **changes}) == fields


def test_a_body_that_is_no_object_is_refused() -> None:
    assert refused([]) == ["body"]


def test_a_partial_body_changes_what_it_names() -> None:
    before = checked(fields_of(converted(GOOD, RuleBody)))
    after = checked(fields_of(converted({"enabled": False, "priority": 7}, RuleBody), before))
    assert (after.enabled, after.priority, after.conditions, after.name) == (False, 7, before.conditions, "Falcons")
