"""What clients send to write rules, read strictly, and what must hold for it; every field that does not is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from axonflow_contracts.verdicts import Tier
from axonflow_policy import Condition, InvalidRule, Phases, RuleAction, compile_rule
from axonflow_policy.conditions import InvalidCondition, compile_condition
from axonflow_policy.routing import says_where
from axonflow_policy.rules import HIGHEST_PRIORITY, LONGEST_NAME, RuleActionType
from axonflow_web import read_body, strict_json
from starlette.requests import Request

from axonflow_orchestrator.tenant_policies.records import RuleFields
from axonflow_orchestrator.tenant_policies.refusals import FieldProblem, invalid

LARGEST_BODY = 1 << 20
LONGEST_TEXT = 4096
MOST_CONDITIONS, MOST_ACTIONS = 50, 20
MOST_TAGS, LONGEST_TAG = 50, 100
LARGEST_CONFIG = 8192
_TYPE = re.compile(r"[a-z][a-z0-9_-]{0,49}")
_CATEGORY = re.compile(r"(?:dynamic|media)-[a-z0-9_-]{1,50}")
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)

T = TypeVar("T")


class RuleBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a create or of a partial update; None is not given, or leaves a field as it is."""

    name: str | None = None
    description: str | None = None
    type: str | None = None
    category: str | None = None
    tier: str | None = None
    organization_id: str | None = None
    tenant_id: str | None = None
    conditions: tuple[Condition, ...] | None = None
    actions: tuple[RuleAction, ...] | None = None
    phases: Phases | None = None
    priority: int | None = None
    enabled: bool | None = None
    tags: tuple[str, ...] | None = None


BLANK_TIER = Tier.TENANT
BLANK = RuleFields(
    name="",
    description="",
    type="risk",
    category="dynamic-risk",
    conditions=(),
    actions=(),
    phases=Phases.BOTH,
    priority=0,
    enabled=True,
    tags=(),
)


async def read(request: Request, kind: type[T], limit: int = LARGEST_BODY) -> T:
    """The body as ``kind``; members that it does not have are left alone, as other versions' clients send them.

    Raises:
        Fault: 400 VALIDATION_ERROR, 413 above ``limit`` bytes.
    """
    return converted(strict_json.loads(await read_body(request, limit) or b"{}"), kind)


def converted(document: Any, kind: type[T]) -> T:
    """Decoded JSON as ``kind``.

    Raises:
        Fault: 400 VALIDATION_ERROR.
    """
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        found = _PLACE.match(str(error))
        path = (found["path"] if found else "") or ""
        what = found["what"] if found else str(error)
        raise invalid([FieldProblem(path.lstrip(".") or "body", what)]) from error


def fields_of(body: RuleBody, before: RuleFields = BLANK) -> RuleFields:
    """The fields after what ``body`` changes; checking them is `problems_of`'s."""
    given = {name: value for name in RuleFields.__struct_fields__ if (value := getattr(body, name)) is not None}
    if "name" in given:
        given["name"] = given["name"].strip()
    return msgspec.structs.replace(before, **given)


def checked(fields: RuleFields) -> RuleFields:
    """``fields``, if a rule may have them.

    Raises:
        Fault: 400 VALIDATION_ERROR, with every field that is not what it may be.
    """
    found = problems_of(fields)
    if found:
        raise invalid(found)
    return fields


def problems_of(fields: RuleFields) -> list[FieldProblem]:
    """What no rule may have, whole conditions and actions included."""
    found = [*_texts(fields), *_lists(fields), *_conditions(fields), *_actions(fields)]
    if found:
        return found
    try:
        compile_rule(fields.judged_as("new", BLANK_TIER))
    except InvalidRule as error:
        return [FieldProblem("actions", str(error))]
    return []


def _texts(fields: RuleFields) -> Iterator[FieldProblem]:
    if not fields.name or len(fields.name) > LONGEST_NAME or "\0" in fields.name:
        yield FieldProblem("name", f"must be 1 to {LONGEST_NAME} characters of text")
    if len(fields.description) > LONGEST_TEXT or "\0" in fields.description:
        yield FieldProblem("description", f"must be at most {LONGEST_TEXT} characters of text")
    if not _TYPE.fullmatch(fields.type):
        yield FieldProblem("type", "must be a word such as content, user, risk or cost")
    if not _CATEGORY.fullmatch(fields.category):
        yield FieldProblem("category", "must begin with dynamic- or media-, such as dynamic-risk")


def _lists(fields: RuleFields) -> Iterator[FieldProblem]:
    if not 0 <= fields.priority <= HIGHEST_PRIORITY:
        yield FieldProblem("priority", f"must be 0 to {HIGHEST_PRIORITY}")
    if len(fields.tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG or "\0" in tag for tag in fields.tags):
        yield FieldProblem("tags", f"must be at most {MOST_TAGS} of at most {LONGEST_TAG} characters")
    if not 0 < len(fields.conditions) <= MOST_CONDITIONS:
        yield FieldProblem("conditions", f"must be 1 to {MOST_CONDITIONS}: without any a rule would never match")
    if len(fields.actions) > MOST_ACTIONS:
        yield FieldProblem("actions", f"must be at most {MOST_ACTIONS}")


def _conditions(fields: RuleFields) -> Iterator[FieldProblem]:
    for number, condition in enumerate(fields.conditions[:MOST_CONDITIONS]):
        try:
            compile_condition(condition)
        except InvalidCondition as error:
            yield FieldProblem(f"conditions[{number}]", str(error))


def _actions(fields: RuleFields) -> Iterator[FieldProblem]:
    for number, action in enumerate(fields.actions[:MOST_ACTIONS]):
        place = f"actions[{number}]"
        alone = msgspec.structs.replace(BLANK, name="x", actions=(action,))
        try:
            compile_rule(alone.judged_as("new", BLANK_TIER))
        except InvalidRule as error:
            yield FieldProblem(place, str(error))
            continue
        if len(msgspec.json.encode(action.config)) > LARGEST_CONFIG:
            yield FieldProblem(place, f"config must be at most {LARGEST_CONFIG} bytes of JSON")
        if action.type == RuleActionType.ROUTE and not says_where(action.config):
            yield FieldProblem(place, "route: config must say where, such as allowed_providers or preferred_provider")
        for name in ("message", "reason"):
            if name in action.config and not isinstance(action.config[name], str):
                yield FieldProblem(place, f"config.{name} must be text")
