"""Judges a call by tenant rules, and joins what they say with what the static policies said.

Rules are judged in no order: the strongest action wins, ties by priority, then by id. A rule that raises the risk score
raises it for the conditions of all others; one that lowers it changes only what is reported, so that no rule takes the
ground from under another.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from axonflow_contracts.verdicts import Action, Phase, Tier, Verdict

from axonflow_policy.facts import Facts, Known
from axonflow_policy.model import Evaluation
from axonflow_policy.routing import Route, Routing, routing_of
from axonflow_policy.rules import CompiledRule, InvalidRule, RuleAction, RuleActionType, TenantRule, compile_rule

FAILURE_ID = "rule_failure"
FAILURE_REASON = "The tenant rules could not judge this call"
_VERDICTS = MappingProxyType(
    {
        Action.BLOCK: Verdict.BLOCKED,
        Action.REQUIRE_APPROVAL: Verdict.NEEDS_APPROVAL,
        Action.REDACT: Verdict.REDACTED,
    }
)


class RuleMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that matched.

    Attributes:
        action: what it weighs in the verdict; None when it only routes or changes the risk score.
        actions: all that it asks for, as it is written.
    """

    policy_id: str
    name: str
    type: str
    category: str
    priority: int
    action: Action | None
    reason: str
    actions: tuple[RuleAction, ...]
    tier: Tier = Tier.TENANT
    description: str = ""


class RuleEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of judging one side of a call by tenant rules.

    Attributes:
        verdict: what follows from the strongest action.
        matches: every rule that matched, the deciding one first, then by strength, priority and id.
        reason: the deciding rule's reason when the verdict is not ``allowed``, else empty.
        risk_score: 0 to 1, after every change; None when none is known and no rule changed it.
        allowed_providers: where a rule routes to: what all routing rules allow, or None when none routes. Empty when
            they allow nothing in common.
        routing: all that the matching rules say of where the call may go, or None when none routes.
        judged: how many rules were judged.
        rules_hash: hash of the rules that judged.
        failure: empty, or the kind of failure that made this a block; for logs, not for callers.
    """

    verdict: Verdict
    matches: tuple[RuleMatch, ...]
    reason: str
    risk_score: float | None
    allowed_providers: tuple[str, ...] | None
    judged: int
    rules_hash: str
    failure: str = ""
    routing: Routing | None = None

    @property
    def required_actions(self) -> tuple[str, ...]:
        """The types of all actions asked for, each once, in the order of `matches`."""
        return tuple(dict.fromkeys(action.type for match in self.matches for action in match.actions))


class RuleSet:
    """The enabled rules of a tenant, checked; immutable and safe to use from many threads.

    Attributes:
        broken: stored rules that cannot be judged; while there is one, every call is blocked in its name, since
            nobody can tell which calls it was meant to stop.
        hash: over all of them.
    """

    __slots__ = ("_rows", "broken", "hash")

    def __init__(self, rows: tuple[CompiledRule, ...], broken: tuple[TenantRule, ...] = ()) -> None:
        self._rows = rows
        self.broken = broken
        rules = [*(row.rule for row in rows), *broken]
        self.hash = hashlib.sha256(msgspec.json.encode(rules, order="deterministic")).hexdigest()

    @classmethod
    def compile(cls, rules: Iterable[TenantRule]) -> RuleSet:
        """Check the enabled rules.

        Raises:
            InvalidRule: one cannot be judged, or two share an id.
        """
        rows = tuple(sorted((compile_rule(rule) for rule in rules if rule.enabled), key=lambda row: row.rule.id))
        for row, other in itertools.pairwise(rows):
            if row.rule.id == other.rule.id:
                raise InvalidRule(row.rule.id, f"rule {row.rule.id} stands twice in the set")
        return cls(rows)

    @classmethod
    def compile_stored(cls, rules: Iterable[TenantRule], unreadable: Iterable[TenantRule] = ()) -> RuleSet:
        """As `compile`, of rules that were checked when they were written: one that fails now blocks (`broken`).

        Args:
            rules: as they are stored.
            unreadable: what is left of rules whose conditions or actions cannot even be read.
        """
        rows: dict[str, CompiledRule] = {}
        broken = [rule for rule in unreadable if rule.enabled]
        for rule in sorted((rule for rule in rules if rule.enabled), key=lambda rule: rule.id):
            try:
                row = compile_rule(rule)
            except InvalidRule:
                broken.append(rule)
                continue
            if rows.setdefault(rule.id, row) is not row:
                broken.append(rule)
        return cls(tuple(rows.values()), tuple(broken))

    @property
    def rules(self) -> tuple[TenantRule, ...]:
        """The rules, by id."""
        return tuple(row.rule for row in self._rows)

    def judged_in(self, phase: Phase) -> tuple[CompiledRule, ...]:
        """The rules that can match in ``phase``."""
        return tuple(row for row in self._rows if row.conditions and phase in row.phases)

    def evaluate(self, facts: Facts, phase: Phase) -> RuleEvaluation:
        """Judge a call. Never raises: whatever goes wrong inside is a block."""
        if self.broken:
            return _failed(InvalidRule.__name__, self.hash, self.broken[0])
        try:
            return self._evaluate(facts, phase)
        except Exception as error:  # noqa: BLE001 # a verdict that could not be made is a block, whatever the cause
            return _failed(type(error).__name__, self.hash)

    def _evaluate(self, facts: Facts, phase: Phase) -> RuleEvaluation:
        rows = self.judged_in(phase)
        known = Known(facts)
        raising = sum(row.risk_delta for row in rows if row.risk_delta > 0 and _holds(row, known))
        raised = known.with_risk(min(1.0, (facts.risk_score or 0.0) + raising)) if raising else None
        # Under either score: a rule that asks for a low one is not undone by another that raises it.
        found = [row for row in rows if _holds(row, known) or (raised is not None and _holds(row, raised))]
        found.sort(key=_rank)
        deciding = found[0].action if found else None
        verdict = Verdict.ALLOWED if deciding is None else _VERDICTS.get(deciding, Verdict.ALLOWED)
        routing = routing_of(_routes(found))
        return RuleEvaluation(
            verdict=verdict,
            matches=tuple(_match(row) for row in found),
            reason="" if verdict is Verdict.ALLOWED else found[0].reason,
            risk_score=_risk(facts, raising, found),
            allowed_providers=None if routing is None else routing.allowed_providers,
            judged=len(rows),
            rules_hash=self.hash,
            routing=routing,
        )


class Applied(NamedTuple):
    """One policy that matched, static or dynamic; ``action`` is None for a rule that weighs nothing."""

    policy_id: str
    name: str
    kind: str
    action: Action | None
    priority: int
    origin: str
    reason: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What static policies and tenant rules say together.

    Attributes:
        applied: everything that matched, the deciding one first, each policy once.
        allowed_providers: as in `RuleEvaluation`, and ``routing``.
        policy_set_hash: over both sets.
        failure: empty, or the kind of failure that made this a block.
    """

    verdict: Verdict
    reason: str
    applied: tuple[Applied, ...]
    required_actions: tuple[str, ...]
    risk_score: float | None
    allowed_providers: tuple[str, ...] | None
    policy_set_hash: str
    failure: str = ""
    routing: Routing | None = None

    @property
    def deciding(self) -> Applied | None:
        """The policy that made the verdict, or None when nothing matched."""
        return self.applied[0] if self.applied else None


def outcome(static: Evaluation, dynamic: RuleEvaluation) -> Outcome:
    """Both evaluations of the same side of a call as one: the stronger verdict, so neither weakens the other."""
    matches = [
        Applied(match.policy_id, match.name, "static", match.action, match.priority, match.origin, match.reason)
        for match in static.matches
    ]
    matches += [
        Applied(match.policy_id, match.name, "dynamic", match.action, match.priority, "stored", match.reason)
        for match in dynamic.matches
    ]
    strongest: dict[tuple[str, str], Applied] = {}
    for each in sorted(matches, key=_rank_applied):
        strongest.setdefault((each.kind, each.policy_id), each)
    applied = tuple(strongest.values())
    action = applied[0].action if applied else None
    verdict = Verdict.ALLOWED if action is None else _VERDICTS.get(action, Verdict.ALLOWED)
    own = (match.action.value for match in static.matches)
    return Outcome(
        verdict=verdict,
        reason="" if verdict is Verdict.ALLOWED else applied[0].reason,
        applied=applied,
        required_actions=tuple(dict.fromkeys((*own, *dynamic.required_actions))),
        risk_score=dynamic.risk_score,
        allowed_providers=dynamic.allowed_providers,
        policy_set_hash=hashlib.sha256(f"{static.policy_set_hash} {dynamic.rules_hash}".encode()).hexdigest(),
        failure=static.failure or dynamic.failure,
        routing=dynamic.routing,
    )


def _holds(row: CompiledRule, known: Known) -> bool:
    return all(condition.holds(known) for condition in row.conditions)


def _rank(row: CompiledRule) -> tuple[int, int, str]:
    return (-row.action.strength if row.action else 0, -row.rule.priority, row.rule.id)


def _rank_applied(each: Applied) -> tuple[int, int, str, str]:
    return (-each.action.strength if each.action else 0, -each.priority, each.policy_id, each.kind)


def _match(row: CompiledRule) -> RuleMatch:
    rule = row.rule
    return RuleMatch(
        policy_id=rule.id,
        name=rule.name,
        type=rule.type,
        category=rule.category,
        priority=rule.priority,
        action=row.action,
        reason=row.reason,
        actions=rule.actions,
        tier=rule.tier,
        description=rule.description,
    )


def _risk(facts: Facts, raising: float, found: list[CompiledRule]) -> float | None:
    lowering = sum(row.risk_delta for row in found if row.risk_delta < 0)
    if facts.risk_score is None and not raising and not lowering:
        return None
    return round(min(1.0, max(0.0, min(1.0, (facts.risk_score or 0.0) + raising) + lowering)), 6)


def _routes(found: list[CompiledRule]) -> list[Route]:
    return [
        Route((-row.rule.priority, row.rule.id), row.rule.name, action.config)
        for row in found
        for action in row.rule.actions
        if action.type == RuleActionType.ROUTE
    ]


def _failed(failure: str, rules_hash: str, broken: TenantRule | None = None) -> RuleEvaluation:
    match = RuleMatch(
        policy_id=FAILURE_ID if broken is None else broken.id,
        name="Tenant rules failure" if broken is None else broken.name,
        type="risk",
        category="dynamic-security",
        priority=1000,
        action=Action.BLOCK,
        reason=FAILURE_REASON,
        actions=(RuleAction(type=RuleActionType.BLOCK.value),),
        tier=Tier.SYSTEM if broken is None else broken.tier,
    )
    return RuleEvaluation(
        verdict=Verdict.BLOCKED,
        matches=(match,),
        reason=FAILURE_REASON,
        risk_score=None,
        allowed_providers=None,
        judged=0,
        rules_hash=rules_hash,
        failure=failure,
    )
