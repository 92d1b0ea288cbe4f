"""The condition language of tenant rules: which operators a field takes, with which values, and whether they hold.

Texts are compared without case and folded as static policies fold them. What is unknown equals and contains nothing,
so the plain operators do not hold for it and their negations do: a rule that forbids all but one value also forbids
not saying.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from axonflow_policy.engines import PatternRefused, regexp
from axonflow_policy.facts import FIELDS, Field, Forms, Kind, Known, field_named, forms_of, spellings

LONGEST_PATTERN = 1000
MOST_VALUES = 1000

Scalar = str | float | bool
Test = Callable[[Forms], bool]


class Operator(StrEnum):
    """What a condition asks of a field (contract, orchestrator section 1.8)."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    CONTAINS_ANY = "contains_any"
    REGEX = "regex"
    GREATER_THAN = "greater_than"
    LESS_THAN = "less_than"
    GREATER_OR_EQUAL = "greater_or_equal"
    LESS_OR_EQUAL = "less_or_equal"
    IN = "in"
    NOT_IN = "not_in"


_SPELLINGS = MappingProxyType(
    {
        **{operator.value: operator for operator in Operator},
        "==": Operator.EQUALS,
        "!=": Operator.NOT_EQUALS,
        ">": Operator.GREATER_THAN,
        "<": Operator.LESS_THAN,
        ">=": Operator.GREATER_OR_EQUAL,
        "<=": Operator.LESS_OR_EQUAL,
        "matches": Operator.REGEX,
    }
)

# Every operator as one of these, or its negation.
_POSITIVE = MappingProxyType(
    {
        Operator.EQUALS: Operator.IN,
        Operator.NOT_EQUALS: Operator.IN,
        Operator.NOT_IN: Operator.IN,
        Operator.CONTAINS: Operator.CONTAINS_ANY,
        Operator.NOT_CONTAINS: Operator.CONTAINS_ANY,
    }
)
NEGATIVE = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN, Operator.NOT_CONTAINS})
ORDER = frozenset(
    {Operator.GREATER_THAN, Operator.LESS_THAN, Operator.GREATER_OR_EQUAL, Operator.LESS_OR_EQUAL},
)
_EQUALITY = frozenset({Operator.EQUALS, Operator.NOT_EQUALS})
_MEMBERSHIP = frozenset({Operator.IN, Operator.NOT_IN})
_LISTS = _MEMBERSHIP | {Operator.CONTAINS_ANY}
_TEXTUAL = frozenset({Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.CONTAINS_ANY, Operator.REGEX})

_TAKES = MappingProxyType(
    {
        Kind.PROSE: _EQUALITY | _MEMBERSHIP | _TEXTUAL,
        Kind.TEXT: _EQUALITY | _MEMBERSHIP | _TEXTUAL,
        Kind.NUMBER: _EQUALITY | _MEMBERSHIP | ORDER,
        Kind.BOOLEAN: _EQUALITY,
        Kind.ANY: frozenset(Operator),
    }
)


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One condition as it is stored and sent."""

    field: str
    operator: str
    value: Any = None


class InvalidCondition(ValueError):
    """A condition that cannot be judged; the message names its field and what is wrong."""


class CompiledCondition(NamedTuple):
    """A condition ready to judge.

    Attributes:
        field: what it asks about.
        operator: as asked, one of the words.
        positive: the operator without its negation: ``in``, ``contains_any``, ``regex`` or one of order.
        negated: whether it holds where ``positive`` does not.
        values: what it compares with, texts folded and without case; one pattern, one number, or several.
        test: whether ``positive`` holds for a fact.
    """

    field: Field
    operator: Operator
    positive: Operator
    negated: bool
    values: tuple[Scalar, ...]
    test: Test

    def holds(self, known: Known) -> bool:
        """Whether the condition holds for a call."""
        return self.test(known.forms(self.field)) is not self.negated

    def accepts(self, value: object) -> bool:
        """Whether the condition would hold if its field were ``value``."""
        return self.test(forms_of(value)) is not self.negated


def compile_condition(condition: Condition) -> CompiledCondition:
    """A condition, checked.

    Raises:
        InvalidCondition: the field or the operator is unknown, they do not go together, or the value is not one.
    """
    field = field_named(condition.field)
    if field is None:
        known = ", ".join((*FIELDS, "context.<key>"))
        raise InvalidCondition(f"there is no field {condition.field!r}; the fields are {known}")
    operator = _SPELLINGS.get(condition.operator)
    if operator is None:
        known = ", ".join(_SPELLINGS)
        raise InvalidCondition(f"{field.name}: there is no operator {condition.operator!r}; the operators are {known}")
    if operator not in _TAKES[field.kind]:
        takes = ", ".join(each for each in Operator if each in _TAKES[field.kind])
        raise InvalidCondition(f"{field.name} holds a {field.kind}, which {operator} does not read; it takes {takes}")
    values = _values(field, operator, condition.value)
    positive = _POSITIVE.get(operator, operator)
    test = _test(field, positive, values)
    return CompiledCondition(field, operator, positive, operator in NEGATIVE, _normal(positive, values), test)


def _values(field: Field, operator: Operator, value: Any) -> tuple[Scalar, ...]:
    if operator not in _LISTS:
        return (_scalar(field, operator, value),)
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MOST_VALUES:
        raise InvalidCondition(f"{field.name} {operator}: the value must be a list of 1 to {MOST_VALUES} values")
    return tuple(_scalar(field, operator, member) for member in value)


def _scalar(field: Field, operator: Operator, value: Any) -> Scalar:
    wanted = _wanted(field, operator)
    of_kind = (
        (isinstance(value, str) and "text" in wanted)
        or (isinstance(value, bool) and "boolean" in wanted)
        or (isinstance(value, int | float) and not isinstance(value, bool) and "number" in wanted)
    )
    if not of_kind:
        raise InvalidCondition(f"{field.name} {operator}: {_shown(value)} is not a {' or a '.join(wanted)}")
    if isinstance(value, str):
        if not spellings(value):
            raise InvalidCondition(f"{field.name} {operator}: the text must not be empty")
        return value
    if isinstance(value, bool):
        return value
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidCondition(f"{field.name} {operator}: the number must be finite")
    return number


def _wanted(field: Field, operator: Operator) -> tuple[str, ...]:
    if operator in ORDER or field.kind is Kind.NUMBER:
        return ("number",)
    if field.kind is Kind.BOOLEAN:
        return ("boolean",)
    return ("text", "number", "boolean") if field.kind is Kind.ANY and operator not in _TEXTUAL else ("text",)


def _shown(value: object) -> str:
    return f"a list of {len(value)}" if isinstance(value, list | tuple) else f"{value!r:.80}"


def _normal(positive: Operator, values: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    if positive is Operator.REGEX:
        return values
    plain = (spellings(value)[0] if isinstance(value, str) else value for value in values)
    return tuple(dict.fromkeys(plain))


def _test(field: Field, positive: Operator, values: tuple[Scalar, ...]) -> Test:
    match positive:
        case Operator.IN:
            return _among(values)
        case Operator.CONTAINS_ANY:
            return _holding(values)
        case Operator.REGEX:
            return _matching(field, str(values[0]))
        case _:
            return _beyond(positive, float(values[0]))


def _among(values: Sequence[Scalar]) -> Test:
    texts = frozenset(form for value in values if isinstance(value, str) for form in spellings(value))
    flags = frozenset(value for value in values if isinstance(value, bool))
    numbers = frozenset(value for value in values if isinstance(value, float))

    def test(forms: Forms) -> bool:
        return not (
            texts.isdisjoint(forms.texts) and numbers.isdisjoint(forms.numbers) and flags.isdisjoint(forms.flags)
        )

    return test


def _holding(values: Sequence[Scalar]) -> Test:
    needles = tuple(dict.fromkeys(form for value in values for form in spellings(str(value))))
    return lambda forms: any(needle in text for text in forms.texts for needle in needles)


def _matching(field: Field, pattern: str) -> Test:
    if len(pattern) > LONGEST_PATTERN:
        raise InvalidCondition(f"{field.name} regex: the pattern is longer than {LONGEST_PATTERN} characters")
    try:
        search = regexp(pattern).search
    except PatternRefused as refusal:
        raise InvalidCondition(f"{field.name} regex: {refusal}") from refusal
    return lambda forms: any(search(data) is not None for data in forms.data)


def _beyond(operator: Operator, limit: float) -> Test:
    match operator:
        case Operator.GREATER_THAN:
            return lambda forms: any(number > limit for number in forms.numbers)
        case Operator.GREATER_OR_EQUAL:
            return lambda forms: any(number >= limit for number in forms.numbers)
        case Operator.LESS_THAN:
            return lambda forms: any(number < limit for number in forms.numbers)
        case _:
            return lambda forms: any(number <= limit for number in forms.numbers)
