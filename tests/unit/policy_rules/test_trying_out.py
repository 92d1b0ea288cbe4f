"""Simulation, impact and conflicts: what policies would do, told without doing it, in the contract's shapes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from axonflow_contracts.posture import Lever, Posture
from axonflow_contracts.verdicts import Action, Phase, Severity, Verdict
from axonflow_policy import Policy, PolicySet
from axonflow_policy.conflicts import UnknownPolicy, conflicts_answer, find_conflicts
from axonflow_policy.dynamic import RuleSet
from axonflow_policy.facts import Facts, UserFacts
from axonflow_policy.impact import impact, impact_answer
from axonflow_policy.rules import InvalidRule, RuleAction
from axonflow_policy.simulation import (
    DailyUsage,
    InputBody,
    SimulatedPolicy,
    Simulation,
    facts_of,
    simulate,
    simulation_answer,
)
from support.rules import Asked, rule

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FALCON: Asked = ("query", "contains", "falcon")


def policy(policy_id: str, pattern: str, action: Action = Action.BLOCK, **changes: Any) -> Policy:
    values: dict[str, Any] = {
        "id": policy_id,
        "name": policy_id.title(),
        "category": "custom",
        "severity": Severity.HIGH,
        "priority": 50,
        "pattern": pattern,
        "reason": "Found",
        "action": action,
    }
    return Policy(**(values | changes))


STATIC = PolicySet.compile(
    [policy("eagle", "eagle", risk_weight=0.9), policy("employee", r"EMP-\d+", Action.REDACT, lever=Lever.PII)],
    Posture(global_levers={Lever.PII: Action.WARN}),
)


def seen(simulation: Simulation, policy_id: str) -> SimulatedPolicy:
    return next(each for each in simulation.policies if each.policy_id == policy_id)


def test_a_simulation_tells_what_every_policy_would_do() -> None:
    rules = RuleSet.compile([rule("falcons", FALCON), rule("others", FALCON, ("user.role", "equals", "boss"))])
    made = simulate(Facts(query="falcon by EMP-1", user=UserFacts(role="teller")), STATIC, rules)
    assert (made.allowed, made.outcome.verdict, made.outcome.reason) == (False, Verdict.BLOCKED, "falcons")
    assert [each.policy_id for each in made.policies] == ["falcons", "employee", "eagle", "others"]
    employee = seen(made, "employee")
    assert (employee.matched, employee.action, employee.origin) == (True, Action.WARN, "env:PII_ACTION")
    assert (seen(made, "falcons").decides, employee.decides) == (True, False)
    assert [each.held for each in seen(made, "others").conditions] == [True, False]


def test_a_simulation_of_an_ordinary_call_allows_it() -> None:
    made = simulate(Facts(query="hello"), STATIC, RuleSet.compile([rule("a", FALCON)]))
    assert made.allowed
    assert [each for each in made.policies if each.matched or each.decides] == []


def test_rules_read_the_risk_that_static_policies_find_unless_one_is_given() -> None:
    rules = RuleSet.compile([rule("risky", ("risk_score", ">", 0.8), action="alert")])
    assert seen(simulate(Facts(query="eagle"), STATIC, rules), "risky").matched
    assert not seen(simulate(Facts(query="eagle", risk_score=0.1), STATIC, rules), "risky").matched
    assert not seen(simulate(Facts(query="hello"), STATIC, rules), "risky").matched


def test_an_approval_stops_a_call_only_where_approvals_act() -> None:
    rules = RuleSet.compile([rule("a", FALCON, action="require_approval")])
    assert not simulate(Facts(query="falcon"), None, rules).allowed
    assert simulate(Facts(query="falcon"), None, rules, approvals_act=False).allowed


def test_the_response_phase_judges_the_response() -> None:
    made = simulate(Facts(query="eagle", response="ok"), STATIC, RuleSet.compile([]), phase=Phase.RESPONSE)
    assert made.allowed


def test_the_answer_holds_every_key_of_the_contract() -> None:
    rules = RuleSet.compile([rule("falcons", FALCON)])
    answer = simulation_answer(
        simulate(Facts(query="falcon"), STATIC, rules),
        processing_time_ms=3,
        simulated_at=NOW,
        tier="evaluation",
        usage=DailyUsage(used=1, limit=300),
    )
    told = msgspec.to_builtins(answer)
    assert tuple(told["applied_policies"]) == ("falcons",)
    assert {
        "allowed": False,
        "risk_score": 0.0,
        "total_policies": 3,
        "dry_run": True,
        "tier": "evaluation",
        "daily_usage": {"used": 1, "limit": 300},
        "processing_time_ms": 3,
        "simulated_at": "2026-11-25T12:00:00Z",
    }.items() <= told.items()
    assert tuple(told["required_actions"]) == ("block",)


def test_a_bodys_facts_are_read_and_what_is_of_another_type_is_unknown() -> None:
    facts = facts_of(
        InputBody(
            query="q",
            request_type="llm_chat",
            user={"email": "a@b", "role": 7, "monthly_llm_usage": 2},
            client={"id": "c1"},
            context={"risk_score": True, "cost_estimate": 3, "model": "m", "team": "blue"},
        ),
        NOW,
    )
    assert facts.user == UserFacts(email="a@b", monthly_llm_usage=2)
    assert (facts.risk_score, facts.cost_estimate, facts.model, facts.at) == (None, 3, "m", NOW)
    rules = RuleSet.compile([rule("a", ("context.client.id", "equals", "c1"), ("context.team", "equals", "blue"))])
    assert not simulate(facts, None, rules).allowed


CALLS = [Facts(query="falcon"), Facts(query="eagle"), None, Facts(query="two falcon eggs")]


def test_an_impact_report_counts_over_what_could_be_judged() -> None:
    found = impact(rule("a", FALCON, enabled=False), CALLS)
    assert (found.total_inputs, found.judged, found.matched, found.blocked) == (4, 3, 2, 2)
    assert (found.match_rate, found.block_rate, found.coverage) == (2 / 3, 2 / 3, "3 of 4")
    assert [result.matched for result in found.results] == [True, False, False, True]
    assert [result.judged for result in found.results] == [True, True, False, True]
    assert found.examples == (0, 3)


def test_an_impact_report_of_a_static_policy_follows_the_operators_levers() -> None:
    employee = policy("employee", r"EMP-\d+", Action.WARN, lever=Lever.PII)
    calls = [Facts(query="EMP-1"), Facts(query="none")]
    assert (impact(employee, calls).matched, impact(employee, calls).blocked) == (1, 0)
    found = impact(employee, calls, posture=Posture(global_levers={Lever.PII: Action.BLOCK}))
    assert (found.blocked, found.results[0].actions) == (1, ("block",))


def test_an_impact_report_tells_all_actions_and_whether_an_approval_stops() -> None:
    asked = rule("a", FALCON, actions=(RuleAction(type="alert"), RuleAction(type="require_approval")))
    found = impact(asked, CALLS, approvals_act=False)
    assert (found.matched, found.blocked, found.results[0].actions) == (2, 0, ("alert", "require_approval"))
    assert impact(asked, CALLS).blocked == 2


def test_an_impact_report_over_nothing_has_rates_of_nothing() -> None:
    answer = impact_answer(impact(rule("a", FALCON), []), processing_time_ms=0, generated_at=NOW, tier="enterprise")
    assert (answer.match_rate, answer.block_rate, answer.coverage, answer.tier) == (0, 0, "0 of 0", "enterprise")


def test_an_impact_report_of_a_rule_that_cannot_be_judged_is_refused() -> None:
    with pytest.raises(InvalidRule):
        impact(rule("a", ("user.salary", ">", 1)), CALLS)


RULES = [
    rule("a", FALCON),
    rule("b", FALCON, action="log"),
    rule("c", FALCON, ("user.role", "equals", "boss"), action="warn"),
    rule("d", FALCON),
    rule("e", ("risk_score", ">", 0.5)),
]
POLICIES = [policy("wide", r"EMP-\d{4}"), policy("narrow", r"EMP-\d{6}", Action.WARN), policy("other", "unrelated")]


def test_conflicts_are_told_with_kind_severity_and_field_the_worst_first() -> None:
    found = find_conflicts(POLICIES, RULES)
    told = {
        (each.policy_a.id, each.policy_b.id): (each.conflict_type, each.severity, each.overlapping_field)
        for each in found
    }
    assert told[("b", "a")] == ("contradictory_action", "high", "query")
    assert told[("d", "a")] == ("redundant", "low", "query")
    assert told[("c", "a")] == ("shadow", "medium", "query")
    assert told[("narrow", "wide")] == ("shadow", "medium", "pattern")
    assert not any("e" in pair or "other" in pair for pair in told)
    weights = ["high", "medium", "low"]
    assert [each.severity for each in found] == sorted((each.severity for each in found), key=weights.index)


@pytest.mark.parametrize("policy_id", ["a", "b", "c", "d", "e", "wide", "narrow", "other"])
def test_the_conflicts_of_one_policy_are_its_pairs_among_all(policy_id: str) -> None:
    def pairs(**options: Any) -> set[frozenset[str]]:
        found = find_conflicts(POLICIES, RULES, **options)
        return {frozenset((each.policy_a.id, each.policy_b.id)) for each in found}

    assert pairs(policy_id=policy_id) == {pair for pair in pairs() if policy_id in pair}


def test_an_unknown_policy_has_no_conflicts_to_look_for() -> None:
    with pytest.raises(UnknownPolicy):
        find_conflicts(POLICIES, RULES, policy_id="nobody")


def test_a_sound_set_has_no_conflicts_and_says_so() -> None:
    found = find_conflicts([POLICIES[2]], [RULES[0], RULES[4]])
    answer = conflicts_answer(found, total_policies=3, checked_at=NOW, tier="evaluation")
    assert (answer.conflicts, answer.conflict_count, answer.total_policies) == ((), 0, 3)


def test_a_party_is_named_by_its_kind() -> None:
    [found] = find_conflicts(POLICIES, [])
    assert msgspec.to_builtins(found.policy_a) == {"id": "narrow", "name": "Narrow", "type": "static"}
