"""What a tenant rule is: conditions that must all hold, and actions with what they need. Values and their checks."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from axonflow_contracts.verdicts import Action, Phase, Tier

from axonflow_policy.conditions import CompiledCondition, Condition, InvalidCondition, compile_condition
from axonflow_policy.facts import exists
from axonflow_policy.model import Phases
from axonflow_policy.routing import problem_of

HIGHEST_PRIORITY = 1000
LONGEST_NAME = 255
# The contract says that the action changes the score and not how its config spells that; the first of these counts.
_DELTA_KEYS = ("delta", "modifier", "adjustment", "value")


class RuleActionType(StrEnum):
    """What a rule may ask for (contract, orchestrator section 1.8)."""

    BLOCK = "block"
    REQUIRE_APPROVAL = "require_approval"
    REDACT = "redact"
    WARN = "warn"
    ALERT = "alert"
    LOG = "log"
    ROUTE = "route"
    MODIFY_RISK = "modify_risk"


# What an action weighs in a verdict; the others do something beside it.
_WEIGHT: Mapping[RuleActionType, Action] = MappingProxyType(
    {
        RuleActionType.BLOCK: Action.BLOCK,
        RuleActionType.REQUIRE_APPROVAL: Action.REQUIRE_APPROVAL,
        RuleActionType.REDACT: Action.REDACT,
        RuleActionType.WARN: Action.WARN,
        RuleActionType.ALERT: Action.LOG,
        RuleActionType.LOG: Action.LOG,
    }
)
# What happens for every rule that matches, whichever decides.
SIDE_EFFECTS = frozenset({RuleActionType.ALERT, RuleActionType.ROUTE, RuleActionType.MODIFY_RISK})


class RuleAction(msgspec.Struct, frozen=True, kw_only=True):
    """One action as it is stored and sent."""

    type: str
    config: Mapping[str, Any] = {}


class TenantRule(msgspec.Struct, frozen=True, kw_only=True):
    """A dynamic policy.

    Attributes:
        type: the contract's word for what it is about, such as ``content`` or ``risk``; it does not decide.
        category: ``dynamic-*`` or ``media-*``.
        conditions: all must hold; a rule without any never matches.
        priority: 0 to 1000; of equally strong matches the higher decides.
        phases: the sides of a call it judges, narrowed further by where its fields exist.
    """

    id: str
    name: str
    conditions: tuple[Condition, ...] = ()
    actions: tuple[RuleAction, ...] = ()
    description: str = ""
    type: str = "risk"
    category: str = "dynamic-risk"
    tier: Tier = Tier.TENANT
    priority: int = 0
    enabled: bool = True
    version: int = 1
    tags: tuple[str, ...] = ()
    phases: Phases = Phases.BOTH


class InvalidRule(ValueError):
    """A rule that cannot be judged; the message says which part and why, and the rule's id stands apart.

    Attributes:
        rule_id: whose.
    """

    def __init__(self, rule_id: str, message: str) -> None:
        super().__init__(message)
        self.rule_id = rule_id


class CompiledRule(NamedTuple):
    """A rule ready to judge.

    Attributes:
        action: the strongest of its actions that weigh, or None when it only does something beside the verdict.
        reason: one phrase for people, from the strongest action's ``message`` or ``reason``, else the rule's name.
        risk_delta: what it adds to the risk score.
        phases: where it is judged; none when its fields exist nowhere together.
    """

    rule: TenantRule
    conditions: tuple[CompiledCondition, ...]
    action: Action | None
    reason: str
    risk_delta: float
    phases: frozenset[Phase]


def compile_rule(rule: TenantRule) -> CompiledRule:
    """A rule, checked.

    Raises:
        InvalidRule: a name, a number, a condition or an action is not what it may be.
    """
    if not rule.name.strip() or len(rule.name) > LONGEST_NAME:
        raise InvalidRule(rule.id, f"the name must be 1 to {LONGEST_NAME} characters")
    if not 0 <= rule.priority <= HIGHEST_PRIORITY:
        raise InvalidRule(rule.id, f"the priority must be 0 to {HIGHEST_PRIORITY}")
    try:
        conditions = tuple(compile_condition(condition) for condition in rule.conditions)
    except InvalidCondition as error:
        raise InvalidRule(rule.id, str(error)) from error
    types = tuple(_action_type(rule, action) for action in rule.actions)
    weighing = [(_WEIGHT[kind], action) for kind, action in zip(types, rule.actions, strict=True) if kind in _WEIGHT]
    strongest = max(weighing, key=lambda pair: pair[0].strength, default=None)
    return CompiledRule(
        rule=rule,
        conditions=conditions,
        action=strongest[0] if strongest else None,
        reason=_reason(rule, strongest[1] if strongest else None),
        risk_delta=sum(_delta(rule, action) for action in rule.actions if action.type == RuleActionType.MODIFY_RISK),
        phases=frozenset(
            phase
            for phase in Phase
            if rule.phases.covers(phase) and all(exists(condition.field, phase) for condition in conditions)
        ),
    )


def _action_type(rule: TenantRule, action: RuleAction) -> RuleActionType:
    try:
        kind = RuleActionType(action.type)
    except ValueError:
        known = ", ".join(RuleActionType)
        raise InvalidRule(rule.id, f"there is no action {action.type!r}; the actions are {known}") from None
    problem = problem_of(action.config) if kind is RuleActionType.ROUTE else ""
    if problem:
        raise InvalidRule(rule.id, f"route: {problem}")
    return kind


def _delta(rule: TenantRule, action: RuleAction) -> float:
    given = next((action.config[key] for key in _DELTA_KEYS if key in action.config), None)
    if not isinstance(given, int | float) or isinstance(given, bool) or not -1 <= given <= 1:
        raise InvalidRule(rule.id, "modify_risk: config.delta must be a number from -1 to 1")
    return float(given)


def _reason(rule: TenantRule, action: RuleAction | None) -> str:
    given = {} if action is None else action.config
    return next((text for key in ("message", "reason") if isinstance(text := given.get(key), str) and text), rule.name)
