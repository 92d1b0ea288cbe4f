"""Each operator on each kind of field: when it holds, when it does not, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from axonflow_contracts.verdicts import Phase
from axonflow_policy.conditions import Condition, InvalidCondition, compile_condition
from axonflow_policy.facts import FIELDS, Facts, Known, StepFacts, UserFacts, exists
from axonflow_policy.model import Phases

CALL = Facts(
    query="Please send the salary list of Project Falcon",
    response="It costs 5 EUR",
    user=UserFacts(email="Ann@Bank.example", role="Teller", region="EU", monthly_llm_usage=12.5),
    step=StepFacts(gate_count=2, prior_output_available=False, last_decision="block"),
    request_type="llm_chat",
    risk_score=0.7,
    cost_estimate=3,
    context={"team": "blue", "tags": ["Alpha", "beta"], "depth": {"level": 3}, "dry": True, "a.b": "dotted"},
    at=datetime(2026, 11, 25, 22, 30, tzinfo=UTC),
)


def holds(field: str, operator: str, value: Any, facts: Facts = CALL) -> bool:
    return compile_condition(Condition(field=field, operator=operator, value=value)).holds(Known(facts))


@pytest.mark.parametrize(
    ("field", "operator", "value", "other"),
    [
        ("user.role", "equals", "teller", "clerk"),
        ("user.role", "==", "TELLER", "tell"),
        ("user.role", "not_equals", "clerk", "teller"),
        ("user.role", "!=", "clerk", "Teller"),
        ("user.role", "in", ["clerk", "teller"], ["clerk", "boss"]),
        ("user.role", "not_in", ["clerk"], ["teller", "clerk"]),
        ("user.email", "contains", "@bank.", "@shop."),
        ("user.email", "not_contains", "@shop.", "ann@"),
        ("query", "contains_any", ["wages", "SALARY"], ["wages", "bonus"]),
        ("query", "regex", r"(?i)project\s+\w+", r"project falcon"),
        ("query", "matches", r"Falcon$", r"^Falcon"),
        ("response", "contains", "eur", "usd"),
        ("risk_score", "greater_than", 0.6, 0.7),
        ("risk_score", ">", 0.6, 0.7),
        ("risk_score", ">=", 0.7, 0.71),
        ("risk_score", "less_than", 0.8, 0.7),
        ("risk_score", "<", 0.8, 0.7),
        ("risk_score", "<=", 0.7, 0.69),
        ("cost_estimate", "equals", 3, 4),
        ("cost_estimate", "in", [1, 3.0], [1, 2]),
        ("user.monthly_llm_usage", ">", 12, 13),
        ("step.gate_count", ">=", 2, 3),
        ("step.prior_output_available", "equals", False, True),
        ("step.last_decision", "equals", "block", "allow"),
        ("time.hour", ">=", 22, 23),
        ("time.weekday", "equals", "Wednesday", "sunday"),
        ("context.team", "equals", "Blue", "red"),
        ("context.tags", "contains", "alph", "gamma"),
        ("context.tags", "in", ["beta"], ["gamma"]),
        ("context.depth.level", ">", 2, 3),
        ("context.dry", "equals", True, False),
        ("context.a.b", "equals", "dotted", "other"),
    ],
)
def test_an_operator_holds_for_one_value_and_not_for_another(field: str, operator: str, value: Any, other: Any) -> None:
    assert holds(field, operator, value)
    assert not holds(field, operator, other)


def test_what_is_unknown_equals_nothing_so_a_demand_for_another_value_holds() -> None:
    assert not holds("environment", "equals", "development")
    assert holds("environment", "not_equals", "development")
    assert holds("environment", "not_in", ["development"])
    assert holds("context.missing.key", "not_contains", "x")
    assert not holds("context.missing", "regex", ".*")
    for operator in (">", "<", ">=", "<="):
        assert not holds("user.monthly_llm_usage", operator, 1, Facts())


@pytest.mark.parametrize("amount", [10**400, float("inf"), 1e308])
def test_a_number_too_large_to_hold_is_still_greater(amount: float) -> None:
    assert holds("context.amount", ">", 1000, Facts(context={"amount": amount}))
    assert not holds("context.amount", ">", -1, Facts(context={"amount": float("nan")}))


def test_a_value_of_another_type_than_the_fact_is_another_value() -> None:
    assert not holds("context.depth.level", "equals", "3")
    assert not holds("context.dry", "equals", 1)
    assert not holds("context.team", ">", 1)


@pytest.mark.parametrize(
    "text",
    ["s\u200balary", "\uff53\uff41\uff4c\uff41\uff52\uff59", "c2FsYXJ5IGxpc3QgZm9yIG1l", "%73alary", "&#115;alary"],
)
def test_a_disguised_word_is_read_as_static_policies_read_it(text: str) -> None:
    assert holds("query", "contains", "salary", Facts(query=f"the {text} list"))
    assert not holds("query", "not_contains", "salary", Facts(query=f"the {text} list"))


def test_a_word_with_accents_finds_itself() -> None:
    assert holds("query", "contains", "GEHÄLTER", Facts(query="Zeig mir die Gehälter"))


@pytest.mark.parametrize(
    ("field", "operator", "value", "told"),
    [
        ("user.salary", "equals", "x", "there is no field 'user.salary'"),
        ("context", "equals", "x", "there is no field 'context'"),
        ("context.", "equals", "x", "there is no field"),
        ("query", "resembles", "x", "there is no operator 'resembles'"),
        ("query", "greater_than", 1, "query holds a prose"),
        ("risk_score", "contains", "x", "risk_score holds a number"),
        ("step.prior_output_available", "in", [True], "holds a boolean"),
        ("risk_score", ">", "0.8", "'0.8' is not a number"),
        ("risk_score", ">", True, "True is not a number"),
        ("risk_score", ">", None, "None is not a number"),
        ("risk_score", ">", float("nan"), "finite"),
        ("risk_score", ">", 10**400, "finite"),
        ("user.role", "equals", 7, "7 is not a text"),
        ("user.role", "equals", ["a"], "a list of 1 is not a text"),
        ("user.role", "in", "teller", "must be a list"),
        ("user.role", "in", [], "must be a list"),
        ("user.role", "in", ["a", 7], "7 is not a text"),
        ("query", "contains", "", "must not be empty"),
        ("query", "contains_any", ["a", ""], "must not be empty"),
        ("query", "regex", r"(a)\1", "query regex: the pattern is not valid"),
        ("query", "regex", "(?=a)", "query regex: the pattern is not valid"),
        ("query", "regex", "x" * 1001, "longer than 1000"),
        ("context.x", "regex", 7, "7 is not a text"),
        ("context.x", "equals", {"a": 1}, "is not a text or a number or a boolean"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_name(field: str, operator: str, value: Any, told: str) -> None:
    with pytest.raises(InvalidCondition) as refusal:
        compile_condition(Condition(field=field, operator=operator, value=value))
    assert told in str(refusal.value)


def test_a_response_exists_on_one_side_alone_and_a_step_on_the_other() -> None:
    assert not exists(FIELDS["response"], Phase.REQUEST)
    assert exists(FIELDS["response"], Phase.RESPONSE)
    assert not exists(FIELDS["step.gate_count"], Phase.RESPONSE)
    assert [field.name for field in FIELDS.values() if field.phases is Phases.RESPONSE] == ["response"]
