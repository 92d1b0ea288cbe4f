"""What follows from a rule's conditions alone: whether they can hold, whether they must, and what they imply.

Sound and incomplete: what is said is so, and silence is no proof (a pattern is compared with no other pattern).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from axonflow_policy.conditions import ORDER, CompiledCondition, Operator, Scalar
from axonflow_policy.facts import Field, Kind

# Texts that nobody writes a condition against; what holds for all of them holds for everything.
ORDINARY = ("The weather is fine today.", "Please summarise the attached report", "7", "def main(): return None")


class Interval(NamedTuple):
    """The numbers from ``low`` to ``high``, without an end that is open."""

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether no number is in it."""
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def holds(self, other: Interval) -> bool:
        """Whether every number of ``other`` is in it."""
        return _low(self) <= _low(other) and _high(other) <= _high(self)

    def meets(self, other: Interval) -> Interval:
        """The numbers in both."""
        low, low_open = max(_low(self), _low(other))
        high, closed = min(_high(self), _high(other))
        return Interval(low, high, low_open, not closed)


def never(conditions: Sequence[CompiledCondition]) -> tuple[CompiledCondition, ...]:
    """Conditions that cannot hold together, none when nothing says so."""
    for condition in conditions:
        if _is_outside(condition):
            return (condition,)
    for field in dict.fromkeys(condition.field for condition in conditions):
        same = [condition for condition in conditions if condition.field == field]
        found = _clash(same)
        if found:
            return found
    return ()


def always(condition: CompiledCondition) -> bool:
    """Whether a condition holds for every call that its field is known for."""
    if condition.positive in ORDER:
        return span_of(condition).holds(_domain(condition.field))
    if condition.positive is Operator.REGEX:
        return condition.accepts("") or all(condition.accepts(text) for text in ORDINARY)
    return False


def implied(condition: CompiledCondition, given: Sequence[CompiledCondition]) -> bool:
    """Whether ``condition`` holds wherever all of ``given`` do."""
    same = [each for each in given if each.field == condition.field]
    return any(_implies(each, condition, same) for each in same)


def complement(one: CompiledCondition, other: CompiledCondition) -> bool:
    """Whether one of the two holds for every call that their field is known for."""
    if one.field != other.field:
        return False
    if one.positive in ORDER and other.positive in ORDER:
        return _covers(span_of(one), span_of(other), _domain(one.field))
    return one.positive is other.positive and one.negated is not other.negated and set(one.values) == set(other.values)


def overlaps(one: Sequence[CompiledCondition], other: Sequence[CompiledCondition]) -> bool:
    """Whether nothing says that two lists of conditions cannot hold together."""
    return not never((*one, *other))


def span_of(condition: CompiledCondition) -> Interval:
    """The numbers for which a condition of order holds."""
    limit = float(condition.values[0])
    match condition.positive:
        case Operator.GREATER_THAN:
            return Interval(limit, math.inf, low_open=True)
        case Operator.GREATER_OR_EQUAL:
            return Interval(limit, math.inf)
        case Operator.LESS_THAN:
            return Interval(-math.inf, limit, high_open=True)
        case _:
            return Interval(-math.inf, limit)


def _low(interval: Interval) -> tuple[float, bool]:
    return interval.low, interval.low_open


def _high(interval: Interval) -> tuple[float, bool]:
    """With ``True`` for a closed end, so that the larger tuple reaches further."""
    return interval.high, not interval.high_open


def _domain(field: Field) -> Interval:
    return Interval(
        -math.inf if field.least is None else field.least,
        math.inf if field.most is None else field.most,
    )


def _is_outside(condition: CompiledCondition) -> bool:
    """Whether a condition asks for numbers that its field cannot be."""
    domain = _domain(condition.field)
    if condition.positive in ORDER:
        return span_of(condition).meets(domain).is_empty
    if condition.field.kind is not Kind.NUMBER or condition.negated:
        return False
    return all(not domain.holds(Interval(float(value), float(value))) for value in condition.values)


def _covers(one: Interval, other: Interval, domain: Interval) -> bool:
    left, right = sorted((one, other), key=_low)
    meeting = right.low < left.high or (right.low == left.high and not (right.low_open and left.high_open))
    starts = left.low < domain.low or (left.low == domain.low and not left.low_open)
    ends = right.high > domain.high or (right.high == domain.high and not right.high_open)
    return meeting and starts and ends and not one.holds(domain) and not other.holds(domain)


def _clash(same: Sequence[CompiledCondition]) -> tuple[CompiledCondition, ...]:
    """Conditions on one field that cannot hold together; a list in ``context`` may be two things at once."""
    listed = same[0].field.kind is Kind.ANY
    for one in same:
        for other in same:
            if _negates(one, other):
                return (one, other)
            if listed or one.negated or other.positive is Operator.REGEX:
                continue  # equality ignores case and a pattern does not: no value stands for all its spellings
            if one.positive is Operator.IN and not any(other.accepts(value) for value in one.values):
                return (one, other)
            if one.positive in ORDER and other.positive in ORDER and span_of(one).meets(span_of(other)).is_empty:
                return (one, other)
    if not listed and _left(same) == ():
        return tuple(same)
    return ()


def _left(same: Sequence[CompiledCondition]) -> tuple[Scalar, ...] | None:
    """The values that all conditions leave; None when they leave infinitely many."""
    among = [each for each in same if each.positive is Operator.IN and not each.negated]
    if not among:
        return None
    plain = [each for each in same if each.positive is not Operator.REGEX]
    return tuple(value for value in among[0].values if all(each.accepts(value) for each in plain))


def _negates(one: CompiledCondition, other: CompiledCondition) -> bool:
    """Whether ``other`` forbids all that ``one`` asks for."""
    if not other.negated or one.negated or other.positive is not one.positive:
        return False
    if one.positive is Operator.CONTAINS_ANY:
        return _all_contain(one.values, other.values)
    return set(one.values) <= set(other.values)


def _implies(one: CompiledCondition, other: CompiledCondition, given: Sequence[CompiledCondition]) -> bool:
    if (one.positive, one.negated, one.values) == (other.positive, other.negated, other.values):
        return True
    if one.negated:
        return _implies_negated(one, other)
    listed = one.field.kind is Kind.ANY
    if one.positive is Operator.IN and other.positive is not Operator.REGEX and not (listed and other.negated):
        return all(other.accepts(value) for value in one.values)
    if one.positive in ORDER and not listed:
        return _implies_order(given, other)
    if one.positive is Operator.CONTAINS_ANY and other.positive is Operator.CONTAINS_ANY and not other.negated:
        return _all_contain(one.values, other.values)
    return False


def _implies_negated(one: CompiledCondition, other: CompiledCondition) -> bool:
    if not other.negated or one.positive is not other.positive:
        return False
    if one.positive is Operator.CONTAINS_ANY:  # what lacks a short text lacks every longer one around it
        return all(any(str(short) in str(text) for short in one.values) for text in other.values)
    return set(other.values) <= set(one.values)


def _implies_order(given: Sequence[CompiledCondition], other: CompiledCondition) -> bool:
    whole = _domain(other.field)
    for each in given:
        if each.positive in ORDER:
            whole = whole.meets(span_of(each))
    if other.positive in ORDER:
        return span_of(other).holds(whole)
    numbers = (value for value in other.values if isinstance(value, float))
    return other.negated and all(whole.meets(Interval(number, number)).is_empty for number in numbers)


def _all_contain(texts: Sequence[Scalar], needles: Sequence[Scalar]) -> bool:
    return all(any(str(needle) in str(text) for needle in needles) for text in texts)
