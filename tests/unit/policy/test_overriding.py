"""Views of a compiled set under overrides: which action results, where it comes from, and what the hash says of it."""

from __future__ import annotations

import pytest
from axonflow_contracts.posture import Lever, Posture
from axonflow_contracts.verdicts import Action, Phase, Severity, Verdict
from axonflow_policy import Content, Policy, PolicyOverride, PolicySet

TEXT = Content.of("alpha beta")


def policy(word: str, *, enabled: bool = True, action: Action = Action.BLOCK) -> Policy:
    return Policy(
        id=f"sys_{word}", name=word, category="pii-us", severity=Severity.HIGH, priority=50, pattern=word,
        reason=f"{word} found", action=action, action_response=Action.REDACT, lever=Lever.PII, enabled=enabled,
    )  # fmt: skip


@pytest.fixture(scope="module")
def base() -> PolicySet:
    rows = [policy("alpha"), policy("beta", enabled=False)]
    return PolicySet.compile(rows, Posture(), keep_disabled=True)


def outcome(policy_set: PolicySet, phase: Phase = Phase.REQUEST) -> list[tuple[str, Action, str]]:
    return [(match.policy_id, match.action, match.origin) for match in policy_set.evaluate(TEXT, phase).matches]


def test_a_row_that_is_off_is_compiled_and_not_judged(base: PolicySet) -> None:
    assert outcome(base) == [("sys_alpha", Action.BLOCK, "stored")]
    assert [row.id for row in base.policies] == ["sys_alpha"]


def test_keeping_a_row_that_is_off_does_not_change_the_hash(base: PolicySet) -> None:
    assert PolicySet.compile([policy("alpha"), policy("beta", enabled=False)], Posture()).hash == base.hash


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("action", list(Action))
def test_an_overridden_action_holds_on_both_sides_and_names_its_override(
    base: PolicySet, phase: Phase, action: Action
) -> None:
    view = base.with_overrides({"sys_alpha": PolicyOverride("o-1", action)})
    assert outcome(view, phase) == [("sys_alpha", action, "override:o-1")]
    assert outcome(base)[0][2] == "stored", "the shared set itself never changes"


def test_an_override_outranks_the_levers(base: PolicySet) -> None:
    levered = base.with_posture(Posture(mode_levers={Lever.PII: Action.WARN}))
    assert levered.evaluate(TEXT, Phase.REQUEST).verdict is Verdict.ALLOWED
    assert outcome(levered.with_overrides({"sys_alpha": PolicyOverride("o", Action.BLOCK)}))[0][1] is Action.BLOCK


def test_an_override_turns_a_policy_off(base: PolicySet) -> None:
    view = base.with_overrides({"sys_alpha": PolicyOverride("o", enabled=False)})
    assert outcome(view) == []
    assert view.policies == ()


def test_an_override_turns_a_policy_on_and_its_action_says_so(base: PolicySet) -> None:
    view = base.with_overrides({"sys_beta": PolicyOverride("o", enabled=True)})
    assert ("sys_beta", Action.BLOCK, "override:o") in outcome(view)


def test_an_action_alone_does_not_turn_a_policy_on(base: PolicySet) -> None:
    view = base.with_overrides({"sys_beta": PolicyOverride("o", Action.LOG)})
    assert [found[0] for found in outcome(view)] == ["sys_alpha"]


def test_turning_on_what_is_on_leaves_the_stored_origin(base: PolicySet) -> None:
    view = base.with_overrides({"sys_alpha": PolicyOverride("o", enabled=True)})
    assert outcome(view) == [("sys_alpha", Action.BLOCK, "stored")]


def test_a_category_that_a_plane_skips_stays_skipped(base: PolicySet) -> None:
    skipping = base.with_posture(Posture(skip_categories=frozenset({"pii-us"})))
    assert outcome(skipping.with_overrides({"sys_alpha": PolicyOverride("o", Action.BLOCK)})) == []


def test_each_override_has_a_hash_of_its_own(base: PolicySet) -> None:
    views = [
        base,
        base.with_overrides({"sys_alpha": PolicyOverride("o-1", Action.WARN)}),
        base.with_overrides({"sys_alpha": PolicyOverride("o-2", Action.WARN)}),
        base.with_overrides({"sys_alpha": PolicyOverride("o-1", Action.LOG)}),
        base.with_overrides({"sys_alpha": PolicyOverride("o-1", enabled=False)}),
        base.with_overrides({"sys_beta": PolicyOverride("o-1", enabled=True)}),
    ]
    assert len({view.hash for view in views}) == len(views)
    assert views[1].evaluate(TEXT, Phase.REQUEST).policy_set_hash == views[1].hash


def test_another_posture_keeps_the_overrides(base: PolicySet) -> None:
    view = base.with_overrides({"sys_alpha": PolicyOverride("o", Action.LOG)}).with_posture(Posture())
    assert outcome(view) == [("sys_alpha", Action.LOG, "override:o")]


def test_an_override_of_an_unknown_policy_changes_nothing(base: PolicySet) -> None:
    assert base.with_overrides({"sys_gone": PolicyOverride("o", Action.LOG)}).hash == base.hash
