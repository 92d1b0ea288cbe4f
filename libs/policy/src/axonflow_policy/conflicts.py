"""``POST /api/v1/policies/conflicts``: pairs of policies that contradict, shadow or repeat each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Action, Phase

from axonflow_policy.actions import effective_action
from axonflow_policy.lint import Finding, Problem, lint, lint_one
from axonflow_policy.lint_rules import lint_rule, lint_rules
from axonflow_policy.model import Policy
from axonflow_policy.rules import InvalidRule, TenantRule, compile_rule


class ConflictType(StrEnum):
    """The contract's words (orchestrator section 1.8)."""

    CONTRADICTORY_ACTION = "contradictory_action"
    SHADOW = "shadow"
    REDUNDANT = "redundant"


class ConflictSeverity(StrEnum):
    """How much it matters: high where one would stop a call that the other lets go."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


_TYPES: Mapping[Problem, ConflictType] = MappingProxyType(
    {
        Problem.CONTRADICTORY: ConflictType.CONTRADICTORY_ACTION,
        Problem.SHADOWED: ConflictType.SHADOW,
        Problem.DUPLICATE: ConflictType.REDUNDANT,
    }
)
_STOPPING = frozenset({Action.BLOCK, Action.REQUIRE_APPROVAL})


class ConflictParty(msgspec.Struct, frozen=True, kw_only=True):
    """One policy of a pair; ``type`` is ``static`` or the rule's own word."""

    id: str
    name: str
    type: str


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """A pair.

    Attributes:
        policy_a: the one that loses or repeats.
        policy_b: the one that decides or was there first.
        overlapping_field: what both ask about: ``pattern`` of static policies, a field of rules.
        description: a sentence for their author.
    """

    policy_a: ConflictParty
    policy_b: ConflictParty
    conflict_type: ConflictType
    severity: ConflictSeverity
    overlapping_field: str
    description: str


class ConflictsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer on the wire; ``conflicts`` is never null."""

    conflicts: tuple[Conflict, ...]
    total_policies: int
    conflict_count: int
    checked_at: datetime
    tier: str


class UnknownPolicy(LookupError):
    """No policy has the id that was asked for."""


def find_conflicts(
    policies: Sequence[Policy],
    rules: Sequence[TenantRule],
    *,
    policy_id: str = "",
    posture: Posture | None = None,
) -> tuple[Conflict, ...]:
    """Every conflict among static policies and among rules, the worst first.

    A static policy and a rule are never compared: a pattern and conditions imply nothing of each other that could be
    proven. All pairs take time quadratic in their number; with ``policy_id`` only that policy is compared.

    Raises:
        UnknownPolicy: no policy has ``policy_id``.
    """
    findings = _findings(policies, rules, policy_id, posture)
    known: dict[str, Policy | TenantRule] = {policy.id: policy for policy in policies}
    known.update((rule.id, rule) for rule in rules)
    pairs = (_conflict(finding, known, posture or Posture()) for finding in findings if finding.problem in _TYPES)
    weight = list(ConflictSeverity)
    return tuple(sorted(pairs, key=lambda each: (weight.index(each.severity), each.policy_a.id, each.policy_b.id)))


def conflicts_answer(
    conflicts: tuple[Conflict, ...], *, total_policies: int, checked_at: datetime, tier: str
) -> ConflictsAnswer:
    """Conflicts on the wire."""
    return ConflictsAnswer(
        conflicts=conflicts,
        total_policies=total_policies,
        conflict_count=len(conflicts),
        checked_at=checked_at,
        tier=tier,
    )


def _findings(
    policies: Sequence[Policy], rules: Sequence[TenantRule], policy_id: str, posture: Posture | None
) -> Sequence[Finding]:
    if not policy_id:
        return (*lint(policies, posture), *lint_rules(rules))
    for policy in policies:
        if policy.id == policy_id:
            others = [other for other in policies if other.id != policy_id]
            about = (finding for other in others for finding in lint_one(other, [policy], posture) if other.enabled)
            return _once((*lint_one(policy, others, posture), *about))
    for rule in rules:
        if rule.id == policy_id:
            beside = [other for other in rules if other.id != policy_id]
            found = (finding for other in beside for finding in lint_rule(other, [rule]) if other.enabled)
            return _once((*lint_rule(rule, beside), *found))
    raise UnknownPolicy(policy_id)


def _once(findings: Sequence[Finding]) -> Sequence[Finding]:
    """Of two findings about one pair of twins the first."""
    kept: dict[tuple[Problem, frozenset[str]], Finding] = {}
    for finding in findings:
        kept.setdefault((finding.problem, frozenset((finding.policy_id, finding.other_id))), finding)
    return tuple(kept.values())


def _conflict(finding: Finding, known: Mapping[str, Policy | TenantRule], posture: Posture) -> Conflict:
    one, other = known[finding.policy_id], known[finding.other_id]
    mine, theirs = _strongest(one, posture), _strongest(other, posture)
    kind = _TYPES[finding.problem]
    if kind is ConflictType.SHADOW and mine == theirs:
        kind = ConflictType.REDUNDANT
    return Conflict(
        policy_a=_party(one),
        policy_b=_party(other),
        conflict_type=kind,
        severity=_severity(kind, mine, theirs),
        overlapping_field=finding.field,
        description=f"{one.name}: {finding.message}",
    )


def _severity(kind: ConflictType, mine: Action | None, theirs: Action | None) -> ConflictSeverity:
    if kind is ConflictType.REDUNDANT:
        return ConflictSeverity.LOW
    if kind is ConflictType.CONTRADICTORY_ACTION and (mine in _STOPPING) is not (theirs in _STOPPING):
        return ConflictSeverity.HIGH
    return ConflictSeverity.MEDIUM


def _strongest(policy: Policy | TenantRule, posture: Posture) -> Action | None:
    if isinstance(policy, TenantRule):
        try:
            return compile_rule(policy).action
        except InvalidRule:
            return None
    actions = (effective_action(policy, phase, posture).action for phase in Phase)
    return max((action for action in actions if action), key=lambda action: action.strength, default=None)


def _party(policy: Policy | TenantRule) -> ConflictParty:
    return ConflictParty(
        id=policy.id, name=policy.name, type=policy.type if isinstance(policy, TenantRule) else "static"
    )
