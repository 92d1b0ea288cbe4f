"""Templates: each can be filled and then is a sound rule, and values that do not fit are named."""

from __future__ import annotations

from typing import Any

import pytest
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Tier
from axonflow_orchestrator.tenant_policies.bodies import checked, fields_of
from axonflow_orchestrator.tenant_policies.templates import (
    CATEGORIES,
    Template,
    Variable,
    VariableType,
    filled,
    template_named,
    templates,
)
from axonflow_policy import TenantRule, lint_rules


def sample(variable: Variable) -> Any:
    rules = variable.validation
    if variable.type is VariableType.LIST:
        return [1] if rules.items is VariableType.NUMBER else ["sample"]
    if variable.type is VariableType.NUMBER:
        return rules.max
    return rules.one_of[0] if rules.one_of else "sample.example" if "." in rules.pattern else "sample"


def rule_of(template: Template, **values: Any) -> TenantRule:
    given = {each.name: sample(each) for each in template.variables if each.required} | values
    return checked(fields_of(filled(template, given))).judged_as(template.id, Tier.TENANT)


def test_every_category_has_a_template_and_ids_are_unique() -> None:
    assert {each.category for each in templates()} == set(CATEGORIES)
    assert len({each.id for each in templates()}) == len(templates()) >= 12


@pytest.mark.parametrize("template", templates(), ids=lambda template: template.id)
def test_a_filled_template_is_a_sound_rule(template: Template) -> None:
    rule = rule_of(template)
    assert lint_rules([rule]) == ()
    assert "{{" not in repr(rule)
    assert {each.name for each in template.variables if each.required} == {
        each.name for each in template.variables if each.default is None
    }
    every = {each.name: sample(each) for each in template.variables}
    assert "{{" not in repr(rule_of(template, **every))


@pytest.mark.parametrize(
    ("template_id", "values", "named"),
    [
        ("block_words", {}, ["variables.words"]),
        ("block_words", {"words": "falcon"}, ["variables.words"]),
        ("block_words", {"words": []}, ["variables.words"]),
        ("block_words", {"words": ["a", 1]}, ["variables.words"]),
        ("block_words", {"words": ["a"], "wrods": ["b"]}, ["variables.wrods"]),
        ("high_risk_approval", {"threshold": 2}, ["variables.threshold"]),
        ("high_risk_approval", {"threshold": True}, ["variables.threshold"]),
        ("no_advice", {"action": "dance"}, ["variables.action"]),
        ("mask_for_externals", {"domain": "nothing at all"}, ["variables.domain"]),
        ("role_gate", {}, ["variables.request_type", "variables.roles"]),
    ],
)
def test_values_that_do_not_fit_are_named(template_id: str, values: dict[str, Any], named: list[str]) -> None:
    template = template_named(template_id)
    assert template is not None
    with pytest.raises(Fault) as caught:
        filled(template, values)
    assert caught.value.code == "VALIDATION_ERROR"
    assert [each["field"] for each in caught.value.details["details"]] == named


def test_values_keep_their_type_and_fill_texts() -> None:
    template = template_named("mask_for_externals")
    assert template is not None
    assert rule_of(template, domain="acme.example").conditions[0].value == "@acme.example"
    hours = template_named("office_hours")
    assert hours is not None
    assert rule_of(hours, hours=[9, 10]).conditions[0].value == [9, 10]
