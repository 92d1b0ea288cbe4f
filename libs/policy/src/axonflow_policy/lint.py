"""Looks for policies in a set that cannot do what their author meant; finds, and never changes.

One regular expression cannot be proven to contain another in general: shadowing is judged on texts made from the
patterns, so a finding names what was tried, and silence is no proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Action, Phase

from axonflow_policy.actions import effective_action
from axonflow_policy.engines import PatternRefused, regexp
from axonflow_policy.lint_conditions import ORDINARY
from axonflow_policy.model import Phases, Policy
from axonflow_policy.proving import samples

_ORDINARY = tuple(text.encode("ascii") for text in ORDINARY)
_FEWEST_TEXTS = 4

EVERYTHING = "the pattern finds something in any text"

Compiled = tuple[Policy, Callable[[bytes], object]]


class Problem(StrEnum):
    """What can be wrong with a policy."""

    INVALID_PATTERN = "invalid_pattern"
    INVALID_RULE = "invalid_rule"
    MATCHES_EVERYTHING = "matches_everything"
    NEVER_MATCHES = "never_matches"
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
        field: what both ask about, where they collide.
    """

    policy_id: str
    problem: Problem
    message: str
    other_id: str = ""
    field: str = ""

    @property
    def is_fatal(self) -> bool:
        """Whether it makes the policy useless or dangerous by itself; the others may be meant."""
        return self.problem in _FATAL and not self.other_id


_FATAL = frozenset({Problem.INVALID_PATTERN, Problem.INVALID_RULE, Problem.MATCHES_EVERYTHING, Problem.NEVER_MATCHES})


def lint(policies: Sequence[Policy], posture: Posture | None = None) -> tuple[Finding, ...]:
    """Every finding in ``policies`` under ``posture``, in order of policy id."""
    posture = posture or Posture()
    rows = sorted((policy for policy in policies if policy.enabled), key=lambda policy: policy.id)
    found: list[Finding] = []
    compiled: list[Compiled] = []
    for policy in rows:
        found += _alone(policy, posture)
        compiled += _searching(policy)
    for policy, search in compiled:
        found += _against(policy, search, compiled, posture, twins_told=True)
    return in_order(found)


def lint_alone(policy: Policy, posture: Posture | None = None) -> tuple[Finding, ...]:
    """What can be seen of a policy without looking at others, whether it is on or off."""
    return in_order(_alone(msgspec.structs.replace(policy, enabled=True), posture or Posture()))


def lint_one(policy: Policy, others: Sequence[Policy], posture: Posture | None = None) -> tuple[Finding, ...]:
    """Every finding about ``policy`` beside ``others``; nothing about the others; time is linear in their number."""
    posture = posture or Posture()
    policy = msgspec.structs.replace(policy, enabled=True)
    found = _alone(policy, posture)
    beside = [compiled for other in others if other.enabled for compiled in _searching(other)]
    for _, search in _searching(policy):
        found += _against(policy, search, beside, posture, twins_told=False)
    return in_order(found)


def finds_everything(search: Callable[[bytes], object]) -> bool:
    """Whether a search finds something in nothing, or in every one of a few texts that have little in common."""
    return bool(search(b"")) or all(search(text) for text in _ORDINARY)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by policy, problem and other policy."""
    return tuple(sorted(findings, key=lambda finding: (finding.policy_id, finding.problem, finding.other_id)))


def _searching(policy: Policy) -> list[Compiled]:
    """The policy and its search; none for a pattern that is refused, which `_alone` tells."""
    try:
        return [(policy, regexp(policy.pattern).search)]
    except PatternRefused:
        return []


def _alone(policy: Policy, posture: Posture) -> list[Finding]:
    """What can be seen without looking at other policies."""
    found: list[Finding] = []
    try:
        search = regexp(policy.pattern).search
        if finds_everything(search):
            found.append(_finding(policy, Problem.MATCHES_EVERYTHING, EVERYTHING))
    except PatternRefused as refusal:
        found.append(_finding(policy, Problem.INVALID_PATTERN, f"{refusal}"))
    actions = _actions(policy, posture)
    if not any(actions.values()):
        found.append(_finding(policy, Problem.UNREACHABLE, "it has no action in any phase, so it is never judged"))
    if policy.phases is Phases.REQUEST and policy.action_response is not None:
        found.append(_finding(policy, Problem.DEAD_FIELD, "action_response is never used: it judges requests alone"))
    if policy.phases is Phases.RESPONSE and policy.action_request is not None:
        found.append(_finding(policy, Problem.DEAD_FIELD, "action_request is never used: it judges responses alone"))
    return found


def _against(
    policy: Policy, search: Callable[[bytes], object], others: Sequence[Compiled], posture: Posture, *, twins_told: bool
) -> list[Finding]:
    """Findings about ``policy`` beside others; with ``twins_told`` the one of two equal patterns with the later id."""
    found: list[Finding] = []
    texts = [text for text in samples(policy.pattern) if search(text)]
    for other, other_search in others:
        if other.id == policy.id:
            continue
        if other.pattern == policy.pattern and other.validator == policy.validator:
            if other.id < policy.id or not twins_told:
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
    field = "pattern" if other_id else ""
    return Finding(policy_id=policy.id, problem=problem, message=message, other_id=other_id, field=field)
