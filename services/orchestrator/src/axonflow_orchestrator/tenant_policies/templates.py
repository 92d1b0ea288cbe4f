"""Templates: rules with blanks, which come with the product, and how the blanks are filled. Pure but for the file."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib.resources import files
from typing import Any

import msgspec

from axonflow_orchestrator.tenant_policies.bodies import RuleBody, converted
from axonflow_orchestrator.tenant_policies.refusals import FieldProblem, invalid

MOST_ITEMS, LONGEST_VALUE = 1000, 1000
_BLANK = re.compile(r"\{\{([a-z_]+)\}\}")

# Contract, orchestrator section 1.8.
CATEGORIES: Mapping[str, str] = {
    "general": "Starting points",
    "security": "Attacks and risky calls",
    "compliance": "Rules of the law",
    "content_safety": "What is said",
    "rate_limiting": "How much is used",
    "access_control": "Who may do what, and when",
    "data_protection": "What must not leave",
    "custom": "Whatever your application needs",
}


class VariableType(StrEnum):
    """What a blank takes."""

    STRING = "string"
    NUMBER = "number"
    LIST = "list"


class VariableRules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a value must be beyond its type; of a list, each of its members.

    Attributes:
        pattern: what the whole text matches.
        one_of: the only texts.
        items: what a list holds, text if unset.
    """

    pattern: str = ""
    one_of: tuple[str, ...] = ()
    items: VariableType = VariableType.STRING
    min: float | None = None
    max: float | None = None
    max_length: int = LONGEST_VALUE
    max_items: int = MOST_ITEMS


class Variable(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One blank."""

    name: str
    type: VariableType
    description: str
    required: bool
    default: Any = None
    validation: VariableRules = VariableRules()


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with blanks; ``template`` is the body of a create, with ``{{name}}`` where values go."""

    id: str
    name: str
    description: str
    category: str
    tags: tuple[str, ...]
    variables: tuple[Variable, ...]
    template: Mapping[str, Any]
    is_builtin: bool = True
    is_active: bool = True
    version: int = 1


@functools.cache
def templates() -> tuple[Template, ...]:
    """All templates, by category and name."""
    data = files(__package__).joinpath("builtin_templates.json").read_bytes()
    order = list(CATEGORIES)
    found = msgspec.json.decode(data, type=list[Template])
    return tuple(sorted(found, key=lambda each: (order.index(each.category), each.name)))


def template_named(template_id: str) -> Template | None:
    """The template of that id."""
    return next((each for each in templates() if each.id == template_id), None)


def filled(template: Template, values: Mapping[str, Any]) -> RuleBody:
    """The rule that a template makes of some values; its name is the template's.

    Raises:
        Fault: 400 VALIDATION_ERROR, naming each variable that is missing, unknown or not what it may be.
    """
    problems = [*_problems(template, values)]
    if problems:
        raise invalid(problems)
    given = {variable.name: values.get(variable.name, variable.default) for variable in template.variables}
    document = _filled({"name": template.name, "description": template.description, **template.template}, given)
    return converted({**document, "tags": [*template.tags, f"template:{template.id}"]}, RuleBody)


def _problems(template: Template, values: Mapping[str, Any]) -> Iterator[FieldProblem]:
    known = {variable.name for variable in template.variables}
    for name in sorted(set(values) - known):
        yield FieldProblem(f"variables.{name}", f"there is no such variable; there are {', '.join(sorted(known))}")
    for variable in template.variables:
        problem = ""
        if variable.name not in values or values[variable.name] is None:
            problem = "is required" if variable.required else ""
        else:
            problem = _problem(values[variable.name], variable.type, variable.validation)
        if problem:
            yield FieldProblem(f"variables.{variable.name}", problem)


def _problem(value: object, type_: VariableType, rules: VariableRules) -> str:
    if type_ is VariableType.LIST:
        if not isinstance(value, list) or not 0 < len(value) <= rules.max_items:
            return f"must be a list of 1 to {rules.max_items} values"
        return next((problem for each in value if (problem := _problem(each, rules.items, rules))), "")
    return _problem_of_number(value, rules) if type_ is VariableType.NUMBER else _problem_of_text(value, rules)


def _problem_of_number(value: object, rules: VariableRules) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "must be a number"
    low, high = rules.min, rules.max
    outside = (low is not None and value < low) or (high is not None and value > high)
    return f"must be from {low} to {high}" if outside else ""


def _problem_of_text(value: object, rules: VariableRules) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > rules.max_length:
        return f"must be a text of 1 to {rules.max_length} characters"
    if rules.one_of and value not in rules.one_of:
        return f"must be one of {', '.join(rules.one_of)}"
    if rules.pattern and not re.fullmatch(rules.pattern, value):
        return f"must match {rules.pattern}"
    return ""


def _filled(value: Any, given: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(member, given) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(member, given) for member in value]
    if not isinstance(value, str):
        return value
    whole = _BLANK.fullmatch(value)
    if whole:
        return given[whole[1]]
    return _BLANK.sub(lambda blank: str(given[blank[1]]), value)
