"""What clients send to write policies, read strictly, and the rules that hold for it."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import STATIC_CATEGORIES, current_category
from axonflow_contracts.verdicts import Action, Severity, Tier
from axonflow_web import read_body, strict_json
from starlette.requests import Request

from axonflow_agent.policies.refusals import refused
from axonflow_agent.policies.store import PolicyFields, StoredPolicy

MAX_BODY_BYTES = 262_144
LONGEST_NAME = 255
LONGEST_TEXT = 4096
HIGHEST_PRIORITY = 1000
DEFAULT_PRIORITY = 50
MOST_TAGS, LONGEST_TAG = 50, 100

T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)


class NewPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a create; SDKs leave out or null what they do not set."""

    name: str | None = None
    pattern: str | None = None
    category: str | None = None
    action: str | None = None
    description: str | None = None
    tier: str | None = None
    organization_id: str | None = None
    severity: str | None = None
    priority: int | None = None
    enabled: bool | None = None
    tags: tuple[str, ...] | None = None


class PolicyChange(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a partial update; None leaves a field as it is."""

    name: str | None = None
    pattern: str | None = None
    category: str | None = None
    action: str | None = None
    description: str | None = None
    severity: str | None = None
    priority: int | None = None
    enabled: bool | None = None
    tags: tuple[str, ...] | None = None


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a toggle."""

    enabled: bool | None = None


class PatternTrial(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a pattern test; one input or several."""

    pattern: str | None = None
    input: str | None = None
    inputs: tuple[str, ...] | None = None


async def read(request: Request, kind: type[T], limit: int = MAX_BODY_BYTES) -> T:
    """The body as ``kind``.

    Raises:
        Fault: 400 for anything else, 413 above ``limit`` bytes.
    """
    document = strict_json.loads(await read_body(request, limit))
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise Fault(400, f"Invalid request body: {error}") from error


def new_fields(body: NewPolicy) -> PolicyFields:
    """The fields of a new policy; its pattern is checked elsewhere.

    Raises:
        Fault: 400, a field is missing or not what it may be.
    """
    for name in ("name", "pattern", "category", "action"):
        if not (getattr(body, name) or "").strip():
            raise Fault(400, f"{name} is required")
    change = msgspec.convert(msgspec.structs.asdict(body), PolicyChange)
    blank = PolicyFields(
        name="",
        description="",
        category="custom",
        pattern="",
        severity=Severity.MEDIUM,
        action=Action.BLOCK,
        enabled=True,
        priority=DEFAULT_PRIORITY,
        tags=(),
    )
    return _checked(_merged(blank, change))


def changed_fields(row: StoredPolicy, change: PolicyChange) -> PolicyFields:
    """The fields of ``row`` after ``change``.

    Raises:
        Fault: 400, a field is not what it may be.
    """
    return _checked(_merged(row.fields, change))


def tier_of(body: NewPolicy) -> Tier:
    """The tier that a new policy asks for.

    Raises:
        Fault: 400 for an unknown word, 403 for the product's own tier.
    """
    tier = word(body.tier or Tier.TENANT.value, Tier, "Invalid policy tier")
    if tier is Tier.SYSTEM:
        raise refused("Cannot create system-tier policies via API")
    return tier


def word(text: str, kind: type[Word], complaint: str) -> Word:
    """``text`` as one of the words of ``kind``.

    Raises:
        Fault: 400 with ``complaint`` and the legal words.
    """
    try:
        return kind(text)
    except ValueError:
        raise Fault(400, f"{complaint}: must be one of {', '.join(kind)}") from None


def _merged(fields: PolicyFields, change: PolicyChange) -> PolicyFields:
    given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not None}
    if change.category is not None:
        given["category"] = current_category(change.category)
    if change.severity is not None:
        given["severity"] = word(change.severity, Severity, "Invalid policy severity")
    if change.action is not None:
        given["action"] = word(change.action, Action, "Invalid policy action")
    return msgspec.structs.replace(fields, **given)


def _checked(fields: PolicyFields) -> PolicyFields:
    if not fields.name.strip() or len(fields.name) > LONGEST_NAME:
        raise Fault(400, f"name must be 1 to {LONGEST_NAME} characters")
    if fields.category not in STATIC_CATEGORIES:
        raise Fault(400, "Invalid policy category")
    if not 0 <= fields.priority <= HIGHEST_PRIORITY:
        raise Fault(400, f"priority must be 0 to {HIGHEST_PRIORITY}")
    if len(fields.description) > LONGEST_TEXT:
        raise Fault(400, f"description must be at most {LONGEST_TEXT} characters")
    if len(fields.tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in fields.tags):
        raise Fault(400, f"tags must be at most {MOST_TAGS} of at most {LONGEST_TAG} characters")
    if any("\0" in text for text in (fields.name, fields.description, *fields.tags)):
        raise Fault(400, "Invalid request body: a text holds a NUL character")
    return fields
