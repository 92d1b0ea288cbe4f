"""``POST /api/v1/policies/simulate``: what each policy would do with a call, with no trace of it anywhere.

The endpoint brings what is not pure: the caller's policies, the time, the day's usage.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from axonflow_contracts.verdicts import Action, Phase, Verdict

from axonflow_policy.dynamic import Outcome, RuleEvaluation, RuleSet, outcome
from axonflow_policy.facts import Facts, Known, UserFacts
from axonflow_policy.model import Content, Evaluation
from axonflow_policy.policy_set import PolicySet
from axonflow_policy.risk import risk_score
from axonflow_policy.rules import CompiledRule

_USER_TEXTS = ("id", "email", "role", "department", "tenant_id", "region", "access_pattern")


class InputBody(msgspec.Struct, frozen=True, kw_only=True):
    """One call to try, as clients send it; the body of a simulation and each of impact's ``inputs``."""

    query: str = ""
    request_type: str | None = None
    user: Mapping[str, Any] | None = None
    client: Mapping[str, Any] | None = None
    context: Mapping[str, Any] | None = None


class TracedCondition(msgspec.Struct, frozen=True, kw_only=True):
    """A condition of a rule, and whether it held."""

    field: str
    operator: str
    held: bool


class SimulatedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What one policy would do.

    Attributes:
        kind: ``static`` or ``dynamic``.
        action: what it takes where it is judged; None when it weighs nothing or is not judged in this phase.
        origin: where that action comes from, such as ``stored`` or ``env:PII_ACTION``.
        decides: whether it makes the verdict.
        conditions: of a rule, each with whether it held.
    """

    policy_id: str
    name: str
    kind: str
    matched: bool
    action: Action | None
    origin: str
    reason: str
    decides: bool = False
    conditions: tuple[TracedCondition, ...] = ()


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome, and what every policy judged would do; those that matched first, by strength."""

    outcome: Outcome
    policies: tuple[SimulatedPolicy, ...]
    allowed: bool


class DailyUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Simulations of today and how many there may be; -1 is without limit."""

    used: int
    limit: int


class SimulationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer on the wire (contract, agent section 3.7); ``verdict``, ``reason`` and ``policies`` are ours."""

    allowed: bool
    applied_policies: tuple[str, ...]
    risk_score: float
    required_actions: tuple[str, ...]
    processing_time_ms: int
    total_policies: int
    simulated_at: datetime
    tier: str
    daily_usage: DailyUsage
    verdict: Verdict
    reason: str
    policies: tuple[SimulatedPolicy, ...]
    dry_run: bool = True


def facts_of(body: InputBody, at: datetime | None = None) -> Facts:
    """The facts of a call to try.

    ``user`` gives the user's fields; ``context`` all that rules read as ``context.<key>``, and what the server would
    know of a real call: risk score, cost, connector, provider, model, environment. What is of another type is unknown.
    """
    user, context = body.user or {}, dict(body.context or {})
    if body.client is not None:
        context.setdefault("client", dict(body.client))
    return Facts(
        query=body.query,
        request_type=body.request_type or "",
        user=UserFacts(
            **{name: _text(user.get(name)) for name in _USER_TEXTS},
            monthly_llm_usage=_number(user.get("monthly_llm_usage")),
        ),
        context=context,
        at=at,
        connector=_text(context.get("connector")),
        provider=_text(context.get("provider")),
        model=_text(context.get("model")),
        environment=_text(context.get("environment")),
        risk_score=_number(context.get("risk_score")),
        cost_estimate=_number(context.get("cost_estimate")),
    )


def simulate(
    facts: Facts,
    policies: PolicySet | None,
    rules: RuleSet,
    *,
    phase: Phase = Phase.REQUEST,
    is_admin: bool = False,
    approvals_act: bool = True,
) -> Simulation:
    """Judge a call as it would be judged, and tell what each policy would do.

    Args:
        facts: the call. Without a risk score, the one that the static policies give it.
        policies: the static policies that the caller's plane judges, None for none.
        rules: the tenant's rules.
        phase: the side; the response phase judges ``facts.response``.
        is_admin: whether the user has admin permission, whom ``security-admin`` does not concern.
        approvals_act: whether approval is asked for in this edition; where it is not, such a call goes on.
    """
    text = facts.query if phase is Phase.REQUEST else facts.response
    static = _static(policies, text, phase, is_admin=is_admin)
    if facts.risk_score is None and policies is not None:
        facts = msgspec.structs.replace(facts, risk_score=risk_score(policies, static))
    dynamic = rules.evaluate(facts, phase)
    made = outcome(static, dynamic)
    stopping = {Verdict.BLOCKED, Verdict.NEEDS_APPROVAL} if approvals_act else {Verdict.BLOCKED}
    seen = (*_statics(policies, static, phase), *_dynamics(rules, dynamic, facts, phase))
    deciding = (made.deciding.kind, made.deciding.policy_id) if made.deciding else None
    marked = (msgspec.structs.replace(each, decides=(each.kind, each.policy_id) == deciding) for each in seen)
    return Simulation(
        outcome=made,
        policies=tuple(sorted(marked, key=_order)),
        allowed=made.verdict not in stopping,
    )


def simulation_answer(
    simulation: Simulation, *, processing_time_ms: int, simulated_at: datetime, tier: str, usage: DailyUsage
) -> SimulationAnswer:
    """A simulation on the wire; of the policies only those that matched are told."""
    made = simulation.outcome
    return SimulationAnswer(
        allowed=simulation.allowed,
        applied_policies=tuple(each.policy_id for each in made.applied),
        risk_score=made.risk_score or 0.0,
        required_actions=made.required_actions,
        processing_time_ms=processing_time_ms,
        total_policies=len(simulation.policies),
        simulated_at=simulated_at,
        tier=tier,
        daily_usage=usage,
        verdict=made.verdict,
        reason=made.reason,
        policies=tuple(each for each in simulation.policies if each.matched),
    )


def _static(policies: PolicySet | None, text: str, phase: Phase, *, is_admin: bool) -> Evaluation:
    if policies is None:
        return Evaluation(verdict=Verdict.ALLOWED, matches=(), reason="", policy_set_hash="")
    return policies.evaluate(Content.of(text, phase.value), phase, is_admin=is_admin)


def _statics(policies: PolicySet | None, evaluation: Evaluation, phase: Phase) -> list[SimulatedPolicy]:
    matched = {match.policy_id for match in evaluation.matches}
    seen = []
    for policy in () if policies is None else policies.policies:
        effective = policies.action_of(policy.id, phase) if policies else None
        if effective is None or effective.action is None:
            continue
        seen.append(
            SimulatedPolicy(
                policy_id=policy.id,
                name=policy.name,
                kind="static",
                matched=policy.id in matched,
                action=effective.action,
                origin=effective.origin,
                reason=policy.reason,
            )
        )
    return seen


def _dynamics(rules: RuleSet, evaluation: RuleEvaluation, facts: Facts, phase: Phase) -> list[SimulatedPolicy]:
    matched = {match.policy_id for match in evaluation.matches}
    known = Known(facts)
    return [
        SimulatedPolicy(
            policy_id=row.rule.id,
            name=row.rule.name,
            kind="dynamic",
            matched=row.rule.id in matched,
            action=row.action,
            origin="stored",
            reason=row.reason,
            conditions=_traced(row, known),
        )
        for row in rules.judged_in(phase)
    ]


def _traced(row: CompiledRule, known: Known) -> tuple[TracedCondition, ...]:
    return tuple(
        TracedCondition(field=each.field.name, operator=each.operator.value, held=each.holds(known))
        for each in row.conditions
    )


def _order(each: SimulatedPolicy) -> tuple[bool, bool, int, str, str]:
    return (not each.decides, not each.matched, -each.action.strength if each.action else 0, each.policy_id, each.kind)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
