"""The linter finds each kind of slip, and leaves a sound set alone."""

from __future__ import annotations

import pytest
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Action, Severity
from axonflow_policy import Phases, Policy
from axonflow_policy.lint import Problem, lint


def policy(policy_id: str, pattern: str, action: Action = Action.BLOCK, **changes) -> Policy:
    values = {
        "id": policy_id,
        "name": policy_id,
        "category": "custom",
        "severity": Severity.HIGH,
        "priority": 50,
        "pattern": pattern,
        "reason": "Found",
        "action": action,
    }
    return Policy(**(values | changes))


def problems(*policies: Policy, posture: Posture | None = None) -> list[tuple[str, str, str]]:
    return [(finding.policy_id, finding.problem.value, finding.other_id) for finding in lint(policies, posture)]


def test_a_sound_set_has_no_findings():
    assert problems(policy("a", r"project falcon"), policy("b", r"EMP-\d{6}")) == []


@pytest.mark.parametrize("pattern", [r".*", r"a?", r"\w", r"(?s).", r"x|"])
def test_a_pattern_that_finds_something_everywhere_is_told(pattern):
    assert problems(policy("a", pattern)) == [("a", Problem.MATCHES_EVERYTHING, "")]


@pytest.mark.parametrize("pattern", [r"(", r"(?=x)", r"(a)\1"])
def test_a_pattern_that_is_not_linear_is_told(pattern):
    assert problems(policy("a", pattern)) == [("a", Problem.INVALID_PATTERN, "")]


def test_the_same_pattern_twice_is_a_duplicate_or_a_contradiction():
    assert problems(policy("a", "falcon"), policy("b", "falcon")) == [("b", Problem.DUPLICATE, "a")]
    found = problems(policy("a", "falcon"), policy("b", "falcon", Action.LOG))
    assert found == [("b", Problem.CONTRADICTORY, "a")]


def test_a_policy_that_never_decides_is_shadowed():
    wide, narrow = policy("wide", r"EMP-\d{4}"), policy("narrow", r"EMP-\d{6}", Action.WARN)
    assert problems(wide, narrow) == [("narrow", Problem.SHADOWED, "wide")]


def test_a_stronger_or_earlier_policy_is_not_shadowed_by_a_wider_one():
    assert problems(policy("wide", r"EMP-\d{4}", Action.WARN), policy("narrow", r"EMP-\d{6}")) == []
    wide = policy("wide", r"EMP-\d{4}", priority=10)
    assert problems(wide, policy("narrow", r"EMP-\d{6}", priority=90)) == []


def test_a_validator_may_turn_a_wider_match_away_so_it_shadows_nobody():
    wide = policy("wide", r"\d{4}", validator="luhn")
    assert problems(wide, policy("narrow", r"EMP-\d{6}", Action.WARN)) == []


def test_an_action_for_a_phase_that_is_not_judged_is_dead():
    only_requests = policy("a", "falcon", phases=Phases.REQUEST, action_response=Action.REDACT)
    assert problems(only_requests) == [("a", Problem.DEAD_FIELD, "")]
    only_responses = policy("a", "falcon", phases=Phases.RESPONSE, action_request=Action.BLOCK)
    assert problems(only_responses) == [("a", Problem.DEAD_FIELD, "")]


def test_a_skipped_category_makes_its_policies_unreachable():
    posture = Posture(skip_categories=frozenset({"custom"}))
    assert problems(policy("a", "falcon"), posture=posture) == [("a", Problem.UNREACHABLE, "")]


def test_what_is_switched_off_is_not_judged():
    assert problems(policy("a", ".*", enabled=False)) == []
