"""Looks for policies in a set that cannot do what their author meant; finds, and never changes.

One regular expression cannot be proven to contain another in general: shadowing is judged on texts made from the
patterns, so a finding names what was tried, and silence is no proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Action, Phase

from axonflow_policy.actions import effective_action
from axonflow_policy.engines import PatternRefused, regexp
from axonflow_policy.model import Phases, Policy
from axonflow_policy.proving import samples

# Texts that nobody writes a policy against; a pattern that finds something in all of them finds something everywhere.
_ORDINARY = (b"The weather is fine today.", b"Please summarise the attached report", b"7", b"def main(): return None")
_FEWEST_TEXTS = 4

Compiled = tuple[Policy, Callable[[bytes], object]]


class Problem(StrEnum):
    """What can be wrong with a policy."""

    INVALID_PATTERN = "invalid_pattern"
    MATCHES_EVERYTHING = "matches_everything"
    UNREACHABLE = "unreachable"
    DEAD_FIELD = "dead_field"
    DUPLICATE = "duplicate"
    CONTRADICTORY = "contradictory"
    SHADOWED = "shadowed"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One problem of one policy.

    Attributes:
        policy_id: the policy that has it.
        problem: its kind.
        message: a sentence for its author.
        other_id: the policy that it collides with, if any.
    """

    policy_id: str
    problem: Problem
    message: str
    other_id: str = ""


def lint(policies: Sequence[Policy], posture: Posture | None = None) -> tuple[Finding, ...]:
    """Every finding in ``policies`` under ``posture``, in order of policy id."""
    posture = posture or Posture()
    rows = sorted((policy for policy in policies if policy.enabled), key=lambda policy: policy.id)
    found: list[Finding] = []
    compiled: list[Compiled] = []
    for policy in rows:
        try:
            compiled.append((policy, regexp(policy.pattern).search))
        except PatternRefused as refusal:
            found.append(_finding(policy, Problem.INVALID_PATTERN, f"{refusal}"))
        found += _alone(policy, posture)
    found += [
        _finding(policy, Problem.MATCHES_EVERYTHING, "the pattern finds something in any text")
        for policy, search in compiled
        if search(b"") or all(search(text) for text in _ORDINARY)
    ]
    found += _pairs(compiled, posture)
    return tuple(sorted(found, key=lambda finding: (finding.policy_id, finding.problem, finding.other_id)))


def _alone(policy: Policy, posture: Posture) -> list[Finding]:
    """What can be seen without looking at other policies."""
    found: list[Finding] = []
    actions = _actions(policy, posture)
    if not any(actions.values()):
        found.append(_finding(policy, Problem.UNREACHABLE, "it has no action in any phase, so it is never judged"))
    if policy.phases is Phases.REQUEST and policy.action_response is not None:
        found.append(_finding(policy, Problem.DEAD_FIELD, "action_response is never used: it judges requests alone"))
    if policy.phases is Phases.RESPONSE and policy.action_request is not None:
        found.append(_finding(policy, Problem.DEAD_FIELD, "action_request is never used: it judges responses alone"))
    return found


def _pairs(compiled: Sequence[Compiled], posture: Posture) -> list[Finding]:
    found: list[Finding] = []
    for policy, search in compiled:
        texts = [text for text in samples(policy.pattern) if search(text)]
        for other, other_search in compiled:
            if other.id == policy.id:
                continue
            if other.pattern == policy.pattern and other.validator == policy.validator:
                if other.id < policy.id:
                    found.append(_same(policy, other, posture))
            elif other.validator is None and len(texts) >= _FEWEST_TEXTS and all(map(other_search, texts)):
                found += _shadow(policy, other, posture, len(texts))
    return found


def _same(policy: Policy, other: Policy, posture: Posture) -> Finding:
    if _actions(policy, posture) == _actions(other, posture):
        message = f"it has the same pattern and the same actions as {other.id}"
        return _finding(policy, Problem.DUPLICATE, message, other.id)
    message = f"it has the same pattern as {other.id} and asks for something else; the stronger action decides"
    return _finding(policy, Problem.CONTRADICTORY, message, other.id)


def _shadow(policy: Policy, other: Policy, posture: Posture, tried: int) -> list[Finding]:
    """``policy`` is shadowed when ``other`` decides in every phase that it judges."""
    mine, theirs = _actions(policy, posture), _actions(other, posture)
    for phase, action in mine.items():
        if action is None:
            continue
        stronger = theirs[phase]
        if stronger is None or _rank(other, stronger) > _rank(policy, action):
            return []
    message = f"{other.id} matches and decides in all of {tried} texts made from its pattern"
    return [_finding(policy, Problem.SHADOWED, message, other.id)]


def _rank(policy: Policy, action: Action) -> tuple[int, int, str]:
    return (-action.strength, -policy.priority, policy.id)


def _actions(policy: Policy, posture: Posture) -> dict[Phase, Action | None]:
    return {phase: effective_action(policy, phase, posture).action for phase in Phase}


def _finding(policy: Policy, problem: Problem, message: str, other_id: str = "") -> Finding:
    return Finding(policy_id=policy.id, problem=problem, message=message, other_id=other_id)
