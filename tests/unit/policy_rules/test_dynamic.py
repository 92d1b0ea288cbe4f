"""Tenant rules judge a call: the strongest action wins in any order, and nothing weakens anything else."""

from __future__ import annotations

import random

import msgspec
import pytest
from axonflow_contracts.verdicts import Action, Phase, Severity, Verdict
from axonflow_policy import Evaluation, Match
from axonflow_policy.dynamic import FAILURE_ID, RuleEvaluation, RuleSet, outcome
from axonflow_policy.facts import Facts, UserFacts
from axonflow_policy.model import Phases
from axonflow_policy.rules import InvalidRule, RuleAction, TenantRule
from hypothesis import given, settings
from hypothesis import strategies as st
from support.rules import Asked, rule

STRENGTH = {Verdict.ALLOWED: 0, Verdict.REDACTED: 1, Verdict.NEEDS_APPROVAL: 2, Verdict.BLOCKED: 3}
FALCON: Asked = ("query", "contains", "falcon")


def judge(facts: Facts, *rules: TenantRule, phase: Phase = Phase.REQUEST) -> RuleEvaluation:
    return RuleSet.compile(rules).evaluate(facts, phase)


def static(*actions: Action) -> Evaluation:
    matches = tuple(
        Match(
            policy_id=f"s{index}",
            name="s",
            category="custom",
            severity=Severity.HIGH,
            priority=500,
            action=action,
            origin="env:PII_ACTION",
            reason="Static",
            path="query",
            spans=((0, 1),),
        )
        for index, action in enumerate(actions)
    )
    verdict = {Action.BLOCK: Verdict.BLOCKED, Action.REDACT: Verdict.REDACTED}.get(
        max(actions, key=lambda each: each.strength, default=Action.LOG), Verdict.ALLOWED
    )
    return Evaluation(verdict=verdict, matches=matches, reason="Static", policy_set_hash="set")


def test_all_conditions_must_hold() -> None:
    both = rule("a", FALCON, ("user.role", "equals", "intern"))
    intern = Facts(query="project falcon", user=UserFacts(role="Intern"))
    assert judge(intern, both).verdict is Verdict.BLOCKED
    assert judge(msgspec.structs.replace(intern, query="project eagle"), both).verdict is Verdict.ALLOWED
    assert judge(msgspec.structs.replace(intern, user=UserFacts(role="boss")), both).matches == ()


def test_no_condition_matches_nothing() -> None:
    assert judge(Facts(query="anything"), rule("a")).verdict is Verdict.ALLOWED


def test_a_rule_that_is_off_is_not_judged() -> None:
    assert judge(Facts(query="falcon"), rule("a", FALCON, enabled=False)).judged == 0


def test_the_strongest_action_wins_then_priority_then_id() -> None:
    rules = (
        rule("d", FALCON, action="warn", priority=1000),
        rule("c", FALCON, priority=10),
        rule("b", FALCON, priority=90),
        rule("a", FALCON, priority=10),
        rule("e", FALCON, action="require_approval"),
    )
    found = judge(Facts(query="falcon"), *rules)
    assert [match.policy_id for match in found.matches] == ["b", "a", "c", "e", "d"]
    assert (found.verdict, found.reason) == (Verdict.BLOCKED, "b")


def test_the_reason_is_the_deciding_actions_own_message() -> None:
    own = rule("a", FALCON, actions=(RuleAction(type="block", config={"message": "Falcon is not out yet"}),))
    assert judge(Facts(query="falcon"), own).reason == "Falcon is not out yet"


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("block", Verdict.BLOCKED),
        ("require_approval", Verdict.NEEDS_APPROVAL),
        ("redact", Verdict.REDACTED),
        ("warn", Verdict.ALLOWED),
        ("alert", Verdict.ALLOWED),
        ("log", Verdict.ALLOWED),
        ("route", Verdict.ALLOWED),
    ],
)
def test_each_action_has_its_verdict(action: str, verdict: Verdict) -> None:
    found = judge(Facts(query="falcon"), rule("a", FALCON, action=action))
    assert (found.verdict, found.required_actions) == (verdict, (action,))


def test_a_rule_is_judged_where_all_its_fields_exist() -> None:
    on_answers = rule("a", ("response", "contains", "falcon"))
    facts = Facts(query="falcon", response="falcon")
    assert judge(facts, on_answers).judged == 0
    assert judge(facts, on_answers, phase=Phase.RESPONSE).verdict is Verdict.BLOCKED
    on_requests = rule("b", FALCON, phases=Phases.REQUEST)
    assert judge(facts, on_requests).verdict is Verdict.BLOCKED
    assert judge(facts, on_requests, phase=Phase.RESPONSE).judged == 0


def modify(rule_id: str, delta: float, *asked: Asked) -> TenantRule:
    return rule(rule_id, *asked, actions=(RuleAction(type="modify_risk", config={"delta": delta}),))


def test_a_raised_risk_is_what_other_rules_judge_in_any_order() -> None:
    high = ("risk_score", ">", 0.8)
    for first, second in (("a", "z"), ("z", "a")):
        found = judge(Facts(query="falcon", risk_score=0.7), modify(first, 0.2, FALCON), rule(second, high))
        assert found.verdict is Verdict.BLOCKED
        assert found.risk_score == pytest.approx(0.9)


def test_a_lowered_risk_is_told_and_saves_nobody() -> None:
    facts = Facts(query="falcon", risk_score=0.9)
    found = judge(facts, modify("a", -0.5, FALCON), rule("b", ("risk_score", ">", 0.8)))
    assert found.verdict is Verdict.BLOCKED
    assert found.risk_score == pytest.approx(0.4)


def test_a_risk_stays_between_0_and_1() -> None:
    assert judge(Facts(query="falcon", risk_score=0.9), modify("a", 0.5, FALCON)).risk_score == 1
    assert judge(Facts(query="falcon", risk_score=0.1), modify("a", -0.5, FALCON)).risk_score == 0
    assert judge(Facts(query="falcon"), rule("a", FALCON)).risk_score is None


def test_routes_leave_what_all_of_them_allow() -> None:
    def route(rule_id: str, *providers: str) -> TenantRule:
        config = {"allowed_providers": list(providers)}
        return rule(rule_id, FALCON, actions=(RuleAction(type="route", config=config),))

    facts = Facts(query="falcon")
    assert judge(facts, rule("a", FALCON)).allowed_providers is None
    assert judge(facts, route("a", "openai", "local")).allowed_providers == ("openai", "local")
    assert judge(facts, route("a", "openai", "local"), route("b", "local", "azure")).allowed_providers == ("local",)
    assert judge(facts, route("a", "openai"), route("b", "azure")).allowed_providers == ()


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (rule("a", ("user.salary", "equals", 1)), "user.salary"),
        (rule("a", FALCON, action="explode"), "there is no action 'explode'"),
        (rule("a", FALCON, action="modify_risk"), "config.delta"),
        (modify("a", 1.5, FALCON), "config.delta"),
        (rule("a", FALCON, actions=(RuleAction(type="route", config={"allowed_providers": []}),)), "allowed_providers"),
        (rule("a", FALCON, priority=1001), "priority"),
        (rule("a", FALCON, name=" "), "name"),
    ],
)
def test_a_rule_that_cannot_be_judged_is_refused_by_name(bad: TenantRule, told: str) -> None:
    with pytest.raises(InvalidRule, match=told) as refusal:
        RuleSet.compile([bad])
    assert refusal.value.rule_id == "a"


def test_two_rules_of_one_id_are_refused() -> None:
    with pytest.raises(InvalidRule, match="stands twice"):
        RuleSet.compile([rule("a", FALCON), rule("a", FALCON)])


def test_a_failure_inside_is_a_block() -> None:
    broken = Facts(query="falcon", context=None)  # type: ignore[arg-type] # what no caller may give
    found = judge(broken, rule("a", ("context.x", "equals", "y")))
    assert (found.verdict, found.matches[0].policy_id) == (Verdict.BLOCKED, FAILURE_ID)
    assert found.failure == "TypeError"


def test_static_policies_and_rules_make_one_outcome_and_the_stronger_decides() -> None:
    falcon = judge(Facts(query="falcon"), rule("r", FALCON, priority=10))
    weak = outcome(static(Action.WARN), falcon)
    assert (weak.verdict, weak.reason) == (Verdict.BLOCKED, "r")
    assert weak.deciding is not None
    assert (weak.deciding.kind, weak.required_actions) == ("dynamic", ("warn", "block"))
    strong = outcome(static(Action.BLOCK, Action.LOG), falcon)
    assert [each.policy_id for each in strong.applied] == ["s0", "r", "s1"]
    assert strong.reason == "Static"
    nothing = outcome(static(), judge(Facts(query="eagle"), rule("r", FALCON)))
    assert (nothing.verdict, nothing.deciding) == (Verdict.ALLOWED, None)


def test_a_static_failure_stays_a_failure() -> None:
    failed = msgspec.structs.replace(static(Action.BLOCK), failure="error")
    assert outcome(failed, judge(Facts())).failure == "error"


WORDS = st.sampled_from(["falcon", "eagle", "salary"])
ROLES = st.sampled_from(["intern", "boss"])
ASKED = st.one_of(
    st.tuples(st.just("query"), st.sampled_from(["contains", "not_contains", "equals", "not_equals"]), WORDS),
    st.tuples(st.just("user.role"), st.sampled_from(["equals", "!="]), ROLES),
    st.tuples(st.just("risk_score"), st.sampled_from([">", "<", ">=", "<="]), st.sampled_from([0.0, 0.3, 0.5, 1.0])),
)
ACTIONS = st.sampled_from(["block", "require_approval", "redact", "warn", "log", "alert", "route"])
RULES = st.lists(st.tuples(st.lists(ASKED, max_size=3), ACTIONS, st.integers(0, 3)), max_size=6).map(
    lambda made: [rule(f"r{n}", *asked, action=action, priority=p) for n, (asked, action, p) in enumerate(made)]
)
FACTS = st.builds(
    lambda words, role, risk: Facts(query=" ".join(words), user=UserFacts(role=role), risk_score=risk),
    st.lists(WORDS, max_size=3),
    st.sampled_from(["", "intern", "Boss"]),
    st.one_of(st.none(), st.sampled_from([0.0, 0.3, 0.4, 0.5, 1.0])),
)
SHORT = settings(max_examples=150, deadline=None, derandomize=True)


@SHORT
@given(rules=RULES, facts=FACTS, phase=st.sampled_from(Phase))
def test_one_more_rule_never_weakens_the_verdict(rules: list[TenantRule], facts: Facts, phase: Phase) -> None:
    for size in range(len(rules)):
        before, after = (judge(facts, *rules[:end], phase=phase) for end in (size, size + 1))
        assert STRENGTH[after.verdict] >= STRENGTH[before.verdict]
        assert {match.policy_id for match in before.matches} <= {match.policy_id for match in after.matches}


@SHORT
@given(rules=RULES, facts=FACTS, seed=st.integers())
def test_the_order_of_the_rules_does_not_matter(rules: list[TenantRule], facts: Facts, seed: int) -> None:
    shuffled = rules[:]
    random.Random(seed).shuffle(shuffled)
    assert judge(facts, *rules) == judge(facts, *shuffled)


@SHORT
@given(rules=RULES, facts=FACTS, actions=st.lists(st.sampled_from(Action), max_size=3))
def test_the_outcome_is_as_strong_as_either_half(rules: list[TenantRule], facts: Facts, actions: list[Action]) -> None:
    found, other = judge(facts, *rules), static(*actions)
    made = outcome(other, found)
    strongest = max(
        [*actions, *(match.action for match in found.matches if match.action)], key=lambda a: a.strength, default=None
    )
    assert (made.deciding.action if made.deciding else None) is strongest or not made.applied
    assert STRENGTH[made.verdict] >= STRENGTH[found.verdict]
    assert STRENGTH[made.verdict] >= (3 if Action.BLOCK in actions else 0)
