"""Looks for tenant rules that cannot do what their author meant, by reasoning over their conditions.

Two rules are compared where one matches wherever the other does; rules that merely overlap are left alone, since the
strongest action decides there and that is what priorities and actions are for.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from axonflow_policy.conditions import CompiledCondition
from axonflow_policy.lint import Finding, Problem, in_order
from axonflow_policy.lint_conditions import always, complement, implied, never
from axonflow_policy.rules import SIDE_EFFECTS, CompiledRule, InvalidRule, TenantRule, compile_rule


def lint_rules(rules: Sequence[TenantRule]) -> tuple[Finding, ...]:
    """Every finding in the enabled rules, in order of id."""
    rows = sorted((rule for rule in rules if rule.enabled), key=lambda rule: rule.id)
    found: list[Finding] = []
    compiled: list[CompiledRule] = []
    for rule in rows:
        found += _alone(rule)
        compiled += _compiled(rule)
    for row in compiled:
        found += _against(row, compiled, twins_told=True)
    return in_order(found)


def lint_rule(rule: TenantRule, others: Sequence[TenantRule] = ()) -> tuple[Finding, ...]:
    """Every finding about ``rule`` beside ``others``, whether it is on or off; in time linear in their number."""
    found = _alone(rule)
    beside = [row for other in others if other.enabled for row in _compiled(other)]
    for row in _compiled(rule):
        found += _against(row, beside, twins_told=False)
    return in_order(found)


def _compiled(rule: TenantRule) -> list[CompiledRule]:
    """None for a rule that `_alone` tells everything about: it matches nothing that another could match."""
    try:
        row = compile_rule(rule)
    except InvalidRule:
        return []
    return [row] if row.conditions and row.phases and not never(row.conditions) else []


def _alone(rule: TenantRule) -> list[Finding]:
    """What can be seen without looking at other rules."""
    try:
        row = compile_rule(rule)
    except InvalidRule as error:
        return [_finding(rule, Problem.INVALID_RULE, str(error))]
    if not row.conditions:
        message = "it has no condition: it would concern every call, so it is never judged"
        return [_finding(rule, Problem.MATCHES_EVERYTHING, message)]
    found: list[Finding] = []
    if not rule.actions:
        found.append(_finding(rule, Problem.UNREACHABLE, "it has no action, so nothing comes of a match"))
    if not row.phases:
        found.append(_dead(row))
    impossible = never(row.conditions)
    if impossible:
        found.append(_finding(rule, Problem.NEVER_MATCHES, f"{_told(impossible)} cannot hold"))
    elif all(always(condition) for condition in row.conditions):
        message = f"{_told(row.conditions)} holds for every call"
        found.append(_finding(rule, Problem.MATCHES_EVERYTHING, message))
    return found


def _dead(row: CompiledRule) -> Finding:
    where = {condition.field.name: condition.field.phases for condition in row.conditions}
    places = ", ".join(f"{name} ({phases})" for name, phases in where.items())
    message = f"it judges {row.rule.phases}, and its fields never exist together there: {places}"
    return _finding(row.rule, Problem.DEAD_FIELD, message)


def _against(row: CompiledRule, others: Sequence[CompiledRule], *, twins_told: bool) -> list[Finding]:
    found: list[Finding] = []
    for other in others:
        if other.rule.id == row.rule.id:
            continue
        later = other.rule.id < row.rule.id or not twins_told
        within, around = _is_within(row, other), _is_within(other, row)
        if within and around:
            found += [_twin(row, other)] if later else []
        elif within and _decides(other, row) and not _acts_beside(row):
            found.append(
                _collision(row, other, Problem.SHADOWED, f"{other.rule.id} matches whenever it does and decides")
            )
        elif later and _completes(row, other):
            message = f"together with {other.rule.id} it concerns every call: the two conditions are opposites"
            found.append(_collision(row, other, Problem.MATCHES_EVERYTHING, message))
    return found


def _is_within(row: CompiledRule, other: CompiledRule) -> bool:
    """Whether ``other`` matches wherever ``row`` does."""
    return row.phases <= other.phases and all(implied(condition, row.conditions) for condition in other.conditions)


def _decides(one: CompiledRule, other: CompiledRule) -> bool:
    """Whether ``one`` ranks before ``other``."""
    if one.action is None or other.action is None:
        return False
    mine = (-one.action.strength, -one.rule.priority, one.rule.id)
    return mine < (-other.action.strength, -other.rule.priority, other.rule.id)


def _acts_beside(row: CompiledRule) -> bool:
    """Whether a match does something that no other rule's decision takes away."""
    return any(action.type in SIDE_EFFECTS for action in row.rule.actions)


def _twin(row: CompiledRule, other: CompiledRule) -> Finding:
    if row.rule.actions == other.rule.actions:
        message = f"it matches the same calls as {other.rule.id} and asks for the same"
        return _collision(row, other, Problem.DUPLICATE, message)
    message = f"it matches the same calls as {other.rule.id} and asks for something else; the stronger action decides"
    return _collision(row, other, Problem.CONTRADICTORY, message)


def _completes(row: CompiledRule, other: CompiledRule) -> bool:
    if len(row.conditions) != 1 or len(other.conditions) != 1 or row.action is None or row.action is not other.action:
        return False
    return bool(row.phases & other.phases) and complement(row.conditions[0], other.conditions[0])


def _collision(row: CompiledRule, other: CompiledRule, problem: Problem, message: str) -> Finding:
    shared = [one.field.name for one in row.conditions if any(one.field == each.field for each in other.conditions)]
    finding = _finding(row.rule, problem, message, other.rule.id)
    return msgspec.structs.replace(finding, field=shared[0] if shared else "")


def _told(conditions: Sequence[CompiledCondition]) -> str:
    return " and ".join(
        f"{condition.field.name} {condition.operator} {', '.join(f'{value!r:.60}' for value in condition.values[:3])}"
        for condition in conditions
    )


def _finding(rule: TenantRule, problem: Problem, message: str, other_id: str = "") -> Finding:
    return Finding(policy_id=rule.id, problem=problem, message=message, other_id=other_id)
