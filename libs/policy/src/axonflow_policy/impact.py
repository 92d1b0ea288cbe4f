"""``POST /api/v1/policies/impact-report``: one policy held against many calls, given or recorded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Action, Phase

from axonflow_policy.dynamic import RuleSet
from axonflow_policy.facts import Facts
from axonflow_policy.model import Content, Policy
from axonflow_policy.policy_set import PolicySet
from axonflow_policy.rules import TenantRule

MOST_EXAMPLES = 5


class ImpactResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy would do with one input.

    Attributes:
        blocked: whether it alone would stop the call.
        actions: what it asks for, empty when it does not match.
        judged: false for a recorded row that holds nothing to judge.
    """

    input_index: int
    matched: bool
    blocked: bool
    actions: tuple[str, ...] = ()
    judged: bool = True


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """One policy against many calls.

    Attributes:
        judged: how many of ``total_inputs`` could be judged; the rates are over these.
        match_rate: 0 to 1, 0 when nothing could be judged.
        block_rate: 0 to 1.
        examples: indexes of the first few that matched, those that would be blocked before the others.
        coverage: ``n of m`` for people.
    """

    policy_id: str
    policy_name: str
    total_inputs: int
    judged: int
    matched: int
    blocked: int
    match_rate: float
    block_rate: float
    results: tuple[ImpactResult, ...]
    examples: tuple[int, ...]
    coverage: str


class ImpactAnswer(Impact, frozen=True, kw_only=True):
    """The answer on the wire (contract, agent section 3.7)."""

    processing_time_ms: int
    generated_at: datetime
    tier: str


def impact(
    policy: Policy | TenantRule,
    inputs: Sequence[Facts | None],
    *,
    phase: Phase = Phase.REQUEST,
    posture: Posture | None = None,
    approvals_act: bool = True,
    known: Collection[int] = (),
) -> Impact:
    """What ``policy`` would do with each of ``inputs``, as if it were enabled and alone.

    Args:
        policy: the one to look at; one that is off is a draft.
        inputs: the calls; None for a recorded row without its text.
        phase: the side that is judged.
        posture: the operator's levers, which move static policies.
        approvals_act: whether asking for approval stops a call in this edition.
        known: indexes of recorded inputs in which a static policy was found then; their texts may be masked since.

    Raises:
        InvalidPolicy: a static policy that cannot be compiled.
        InvalidRule: a rule that cannot be judged.
    """
    stopping = {Action.BLOCK, Action.REQUIRE_APPROVAL} if approvals_act else {Action.BLOCK}
    judge = _judge_of(policy, phase, posture or Posture())
    results = []
    for index, facts in enumerate(inputs):
        if index in known:
            action, actions = judge.found()
        else:
            action, actions = (None, None) if facts is None else judge(facts)
        result = ImpactResult(
            input_index=index,
            matched=actions is not None,
            blocked=action in stopping,
            actions=actions or (),
            judged=facts is not None or index in known,
        )
        results.append(result)
    return _report(policy, results)


def impact_answer(found: Impact, *, processing_time_ms: int, generated_at: datetime, tier: str) -> ImpactAnswer:
    """An impact report on the wire."""
    values = msgspec.structs.asdict(found)
    return ImpactAnswer(**values, processing_time_ms=processing_time_ms, generated_at=generated_at, tier=tier)


class _Judge:
    """Judges one call: the strongest action, if any, and the words of all actions, None when nothing matches."""

    def __init__(self, found: PolicySet | RuleSet, phase: Phase) -> None:
        self._found = found
        self._phase = phase

    def found(self) -> tuple[Action | None, tuple[str, ...] | None]:
        """What a match of the static policy comes to."""
        if not isinstance(self._found, PolicySet):
            return None, None
        effective = next((self._found.action_of(policy.id, self._phase) for policy in self._found.policies), None)
        action = None if effective is None else effective.action
        return action, None if action is None else (action.value,)

    def __call__(self, facts: Facts) -> tuple[Action | None, tuple[str, ...] | None]:
        if isinstance(self._found, PolicySet):
            text = facts.query if self._phase is Phase.REQUEST else facts.response
            static = self._found.evaluate(Content.of(text), self._phase)
            action = static.matches[0].action if static.matches else None
            return action, None if action is None else (action.value,)
        dynamic = self._found.evaluate(facts, self._phase)
        if not dynamic.matches:
            return None, None
        return dynamic.matches[0].action, dynamic.required_actions


def _judge_of(policy: Policy | TenantRule, phase: Phase, posture: Posture) -> _Judge:
    if isinstance(policy, Policy):
        return _Judge(PolicySet.compile([msgspec.structs.replace(policy, enabled=True)], posture), phase)
    return _Judge(RuleSet.compile([msgspec.structs.replace(policy, enabled=True)]), phase)


def _report(policy: Policy | TenantRule, results: Sequence[ImpactResult]) -> Impact:
    judged = sum(result.judged for result in results)
    matched = [result for result in results if result.matched]
    blocked = sum(result.blocked for result in results)
    telling = sorted(matched, key=lambda result: (not result.blocked, result.input_index))
    return Impact(
        policy_id=policy.id,
        policy_name=policy.name,
        total_inputs=len(results),
        judged=judged,
        matched=len(matched),
        blocked=blocked,
        match_rate=len(matched) / judged if judged else 0.0,
        block_rate=blocked / judged if judged else 0.0,
        results=tuple(results),
        examples=tuple(result.input_index for result in telling[:MOST_EXAMPLES]),
        coverage=f"{judged} of {len(results)}",
    )
