"""The linter of tenant rules: each kind of slip is found, and its near neighbour that is none is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_policy.conditions import compile_condition
from axonflow_policy.dynamic import RuleSet
from axonflow_policy.facts import Facts, Known, UserFacts
from axonflow_policy.lint import Problem
from axonflow_policy.lint_conditions import always, implied, never
from axonflow_policy.lint_rules import lint_rule, lint_rules
from axonflow_policy.model import Phases
from axonflow_policy.rules import RuleAction, TenantRule
from hypothesis import given, settings
from hypothesis import strategies as st
from support.rules import Asked, conditions, rule

FALCON: Asked = ("query", "contains", "falcon")


def problems(*rules: TenantRule) -> list[tuple[str, str, str]]:
    return [(finding.policy_id, finding.problem.value, finding.other_id) for finding in lint_rules(rules)]


def test_a_sound_set_has_no_findings() -> None:
    assert (
        problems(
            rule("a", ("risk_score", ">", 0.8)),
            rule("b", ("risk_score", ">", 0.5), action="alert"),
            rule("c", FALCON, ("user.role", "!=", "boss")),
            rule("d", ("response", "contains", "falcon"), action="redact"),
        )
        == []
    )


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ([], Problem.MATCHES_EVERYTHING),
        ([("risk_score", ">=", 0)], Problem.MATCHES_EVERYTHING),
        ([("risk_score", "<=", 1)], Problem.MATCHES_EVERYTHING),
        ([("cost_estimate", ">", -1)], Problem.MATCHES_EVERYTHING),
        ([("query", "regex", ".*")], Problem.MATCHES_EVERYTHING),
        ([("query", "regex", r"\w")], Problem.MATCHES_EVERYTHING),
        ([("risk_score", ">=", 0), ("query", "regex", "a?")], Problem.MATCHES_EVERYTHING),
        ([("user.role", "equals", "a"), ("user.role", "equals", "b")], Problem.NEVER_MATCHES),
        ([("user.role", "in", ["a", "b"]), ("user.role", "not_in", ["b", "A"])], Problem.NEVER_MATCHES),
        ([("user.role", "equals", "a"), ("user.role", "!=", "A")], Problem.NEVER_MATCHES),
        ([("risk_score", ">", 0.5), ("risk_score", "<", 0.3)], Problem.NEVER_MATCHES),
        ([("risk_score", ">", 0.5), ("risk_score", "<=", 0.5)], Problem.NEVER_MATCHES),
        ([("risk_score", ">", 1)], Problem.NEVER_MATCHES),
        ([("risk_score", "equals", 2)], Problem.NEVER_MATCHES),
        ([("cost_estimate", "<", 0)], Problem.NEVER_MATCHES),
        ([("cost_estimate", "equals", 5), ("cost_estimate", ">", 5)], Problem.NEVER_MATCHES),
        ([("query", "contains", "falcons"), ("query", "not_contains", "falcon")], Problem.NEVER_MATCHES),
        ([("user.email", "equals", "a@b"), ("user.email", "contains", "x")], Problem.NEVER_MATCHES),
        ([("response", "contains", "x"), ("step.gate_count", ">", 1)], Problem.DEAD_FIELD),
        ([("user.salary", ">", 1)], Problem.INVALID_RULE),
    ],
)
def test_what_conditions_say_of_themselves_is_told(asked: list[Asked], problem: Problem) -> None:
    assert problems(rule("a", *asked)) == [("a", problem.value, "")]


@pytest.mark.parametrize(
    "asked",
    [
        [("risk_score", ">", 0)],
        [("risk_score", "<", 1)],
        [("context.count", ">=", 0)],
        [("query", "regex", r"\d{4}")],
        [("risk_score", ">=", 0), FALCON],
        [("user.role", "in", ["a", "b"]), ("user.role", "!=", "b")],
        [("risk_score", ">=", 0.5), ("risk_score", "<=", 0.5)],
        [("context.tags", "equals", "a"), ("context.tags", "equals", "b")],
        [("query", "contains", "falcon"), ("query", "not_contains", "falcons")],
        [("user.email", "equals", "A@b"), ("user.email", "regex", "^A@")],
        [("risk_score", "equals", 1)],
        [("response", "contains", "x"), FALCON],
    ],
)
def test_their_near_neighbours_are_left_alone(asked: list[Asked]) -> None:
    assert problems(rule("a", *asked)) == []


def test_a_field_outside_the_rules_own_side_is_dead() -> None:
    asked = ("response", "contains", "x")
    [finding] = lint_rules([rule("a", asked, phases=Phases.REQUEST)])
    assert finding.problem is Problem.DEAD_FIELD
    assert "response (response)" in finding.message
    assert problems(rule("a", asked, phases=Phases.RESPONSE)) == []


def test_a_rule_without_an_action_is_unreachable() -> None:
    assert problems(rule("a", FALCON, action=None)) == [("a", Problem.UNREACHABLE, "")]


def test_opposites_that_ask_for_the_same_concern_every_call() -> None:
    told = [("b", Problem.MATCHES_EVERYTHING, "a")]
    assert problems(rule("a", FALCON), rule("b", ("query", "not_contains", "Falcon"))) == told
    assert problems(rule("a", ("risk_score", ">", 0.5)), rule("b", ("risk_score", "<=", 0.5))) == told
    assert problems(rule("a", ("risk_score", ">", 0.5)), rule("b", ("risk_score", "<", 0.5))) == []
    assert problems(rule("a", FALCON), rule("b", ("query", "not_contains", "falcon"), action="warn")) == []
    assert not lint_rules([rule("a", FALCON), rule("b", ("query", "not_contains", "falcon"))])[0].is_fatal


def test_the_same_conditions_twice_are_a_duplicate_or_a_contradiction() -> None:
    reordered = (("user.role", "==", "Boss"), FALCON)
    first = rule("a", FALCON, ("user.role", "in", ["boss"]))
    assert problems(first, rule("b", *reordered)) == [("b", Problem.DUPLICATE, "a")]
    assert problems(first, rule("b", *reordered, action="log")) == [("b", Problem.CONTRADICTORY, "a")]
    assert lint_rules([first, rule("b", *reordered)])[0].field == "user.role"


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ([("risk_score", ">", 0.5)], [("risk_score", ">", 0.8)]),
        ([("risk_score", ">=", 0.5)], [("risk_score", "equals", 0.5)]),
        ([("risk_score", "!=", 0.1)], [("risk_score", ">", 0.5)]),
        ([FALCON], [FALCON, ("user.role", "equals", "boss")]),
        ([("query", "contains", "falcon")], [("query", "contains", "falcons")]),
        ([("query", "contains_any", ["falcon", "eagle"])], [("query", "contains", "eagle")]),
        ([("user.role", "in", ["a", "b"])], [("user.role", "equals", "a")]),
        ([("user.role", "!=", "a")], [("user.role", "not_in", ["a", "b"])]),
        ([("query", "not_contains", "falcons")], [("query", "not_contains", "falcon")]),
        ([("user.email", "contains", "@b")], [("user.email", "equals", "a@b")]),
    ],
)
def test_a_rule_inside_a_stronger_one_is_shadowed_and_not_the_other_way(wide: list[Asked], narrow: list[Asked]) -> None:
    assert problems(rule("w", *wide), rule("n", *narrow, action="warn")) == [("n", Problem.SHADOWED, "w")]
    assert problems(rule("w", *wide, action="warn"), rule("n", *narrow)) == []
    assert problems(rule("w", *narrow), rule("n", *wide, action="warn")) == []


def test_a_rule_that_does_something_beside_the_verdict_is_not_shadowed() -> None:
    actions = (RuleAction(type="warn"), RuleAction(type="modify_risk", config={"delta": 0.1}))
    narrow = rule("n", FALCON, ("user.role", "equals", "boss"), actions=actions)
    assert problems(rule("w", FALCON), narrow) == []


def test_a_rule_that_judges_more_sides_is_not_shadowed() -> None:
    assert problems(rule("w", FALCON, phases=Phases.REQUEST), rule("n", FALCON, action="warn")) == []


def test_one_rule_is_linted_beside_others_and_they_are_not() -> None:
    others = [rule("a", FALCON), rule("b", ("risk_score", ">=", 0)), rule("c", FALCON, enabled=False)]
    found = lint_rule(rule("0", FALCON, enabled=False), others)
    assert [(finding.policy_id, finding.problem, finding.other_id) for finding in found] == [
        ("0", Problem.DUPLICATE, "a")
    ]


ROLES = ["a", "b", "ab", "abc"]
NUMBERS = [0.0, 0.2, 0.5, 1.0]
ASKED = st.one_of(
    st.tuples(
        st.just("user.role"), st.sampled_from(["equals", "!=", "contains", "not_contains"]), st.sampled_from(ROLES)
    ),
    st.tuples(
        st.just("user.role"),
        st.sampled_from(["in", "not_in", "contains_any"]),
        st.lists(st.sampled_from(ROLES), min_size=1, max_size=2),
    ),
    st.tuples(st.just("risk_score"), st.sampled_from([">", "<", ">=", "<=", "==", "!="]), st.sampled_from(NUMBERS)),
)
CALLS = st.builds(
    lambda role, risk: Facts(user=UserFacts(role=role), risk_score=risk),
    st.sampled_from(["a", "b", "c", "ab", "bc", "abc", "cab"]),
    st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0]),
)


def _hold(asked: list[Any], facts: Facts) -> bool:
    known = Known(facts)
    return all(compile_condition(condition).holds(known) for condition in conditions(*asked))


@settings(max_examples=250, deadline=None, derandomize=True)
@given(one=st.lists(ASKED, min_size=1, max_size=3), other=ASKED, facts=CALLS)
def test_what_the_linter_concludes_is_true_of_every_call(one: list[Any], other: Any, facts: Facts) -> None:
    compiled = [compile_condition(condition) for condition in conditions(*one)]
    [extra] = [compile_condition(condition) for condition in conditions(other)]
    if never(compiled):
        assert not _hold(one, facts)
    if implied(extra, compiled) and _hold(one, facts):
        assert extra.holds(Known(facts))
    if always(extra):
        assert extra.holds(Known(facts))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(wide=st.lists(ASKED, min_size=1, max_size=2), more=st.lists(ASKED, max_size=2), facts=CALLS)
def test_a_shadowed_rule_never_decides(wide: list[Any], more: list[Any], facts: Facts) -> None:
    rules = [rule("a", *wide), rule("n", *wide, *more, action="require_approval")]
    told = {finding.problem for finding in lint_rules(rules) if finding.policy_id == "n"}
    assert told & {Problem.SHADOWED, Problem.CONTRADICTORY, Problem.NEVER_MATCHES, Problem.MATCHES_EVERYTHING}
    assert RuleSet.compile(rules).evaluate(facts, Phase.REQUEST).verdict is not Verdict.NEEDS_APPROVAL
