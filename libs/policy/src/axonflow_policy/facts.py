"""What tenant rules may ask about a call: the facts, the fields that name them, and the phases where they exist."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from axonflow_contracts.verdicts import Phase

from axonflow_policy.folding import bare, encode, fold
from axonflow_policy.model import Phases
from axonflow_policy.views import readings

_CONTEXT = "context."


class UserFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The person behind the call; empty or None is unknown.

    Attributes:
        access_pattern: a word of whoever watches accesses, such as ``anomalous``.
        monthly_llm_usage: US dollars spent on models this month.
    """

    id: str = ""
    email: str = ""
    role: str = ""
    department: str = ""
    tenant_id: str = ""
    region: str = ""
    access_pattern: str = ""
    monthly_llm_usage: float | None = None


class StepFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow step at its gate (contract, orchestrator section 1.3: retry context); None is unknown."""

    gate_count: int | None = None
    completion_count: int | None = None
    prior_completion_status: str = ""
    prior_output_available: bool | None = None
    last_decision: str = ""
    first_attempt_age_seconds: float | None = None
    idempotency_key: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one side of a call; empty or None is unknown.

    Attributes:
        query: the prompt or statement.
        response: the answer, in the response phase.
        risk_score: 0 to 1.
        cost_estimate: US dollars.
        context: what the client sent beside the query; rules read it as ``context.<key>``, nested keys with dots.
        media: what is known of the images beside the query, by the name behind ``media.``: a list with a value for each
            image of which it is known, so that a plain operator holds where it holds for any of them.
        at: when the call is judged; nothing here reads a clock.
    """

    query: str = ""
    response: str = ""
    user: UserFacts = UserFacts()
    step: StepFacts = StepFacts()
    request_type: str = ""
    connector: str = ""
    provider: str = ""
    model: str = ""
    environment: str = ""
    risk_score: float | None = None
    cost_estimate: float | None = None
    context: Mapping[str, Any] = {}
    media: Mapping[str, Any] = {}
    at: datetime | None = None


class Kind(StrEnum):
    """What a field holds; ``ANY`` is decided by the client that sends it."""

    PROSE = "prose"
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ANY = "any"


class Field(NamedTuple):
    """One field of the language.

    Attributes:
        name: as rules spell it.
        kind: what it holds.
        phases: where it exists.
        least: the smallest number it can be, if there is one.
        most: the largest.
    """

    name: str
    kind: Kind
    phases: Phases = Phases.BOTH
    least: float | None = None
    most: float | None = None


def _step(name: str, kind: Kind) -> Field:
    return Field(f"step.{name}", kind, Phases.REQUEST, 0.0 if kind is Kind.NUMBER else None)


def _media(name: str, kind: Kind, most: float | None = None) -> Field:
    return Field(f"media.{name}", kind, Phases.REQUEST, 0.0 if kind is Kind.NUMBER else None, most)


# Contract: orchestrator section 1.12; `pii_types` holds several words for one image, as only `ANY` fields may.
_MEDIA_FIELDS = (
    _media("count", Kind.NUMBER),
    *(_media(name, Kind.NUMBER, 1.0) for name in ("nsfw_score", "violence_score")),
    *(_media(name, Kind.NUMBER) for name in ("face_count", "extracted_text_length")),
    *(_media(name, Kind.BOOLEAN) for name in ("has_faces", "has_biometric_data", "content_safe")),
    *(_media(name, Kind.BOOLEAN) for name in ("is_sensitive_document", "has_extracted_text")),
    *(_media(name, Kind.BOOLEAN) for name in ("has_pii", "has_pii_beyond_location")),
    *(_media(name, Kind.TEXT) for name in ("mime_type", "sha256_hash", "document_type")),
    _media("pii_types", Kind.ANY),
)
# Contract: agent section 3.7, the system rules of section 3.3, orchestrator section 1.3; `provider`, `model` and
# `time.*` are what its route, role-access and time-access rules need.
_FIELDS = (
    Field("query", Kind.PROSE),
    Field("response", Kind.PROSE, Phases.RESPONSE),
    *(Field(f"user.{name}", Kind.TEXT) for name in ("id", "email", "role", "department", "tenant_id", "region")),
    Field("user.access_pattern", Kind.TEXT),
    Field("user.monthly_llm_usage", Kind.NUMBER, least=0.0),
    *(Field(name, Kind.TEXT) for name in ("request_type", "connector", "provider", "model", "environment")),
    Field("risk_score", Kind.NUMBER, least=0.0, most=1.0),
    Field("cost_estimate", Kind.NUMBER, least=0.0),
    Field("time.hour", Kind.NUMBER, least=0.0, most=23.0),
    Field("time.weekday", Kind.TEXT),
    *(_step(name, Kind.NUMBER) for name in ("gate_count", "completion_count", "first_attempt_age_seconds")),
    *(_step(name, Kind.TEXT) for name in ("prior_completion_status", "last_decision", "idempotency_key")),
    _step("prior_output_available", Kind.BOOLEAN),
    *_MEDIA_FIELDS,
)
FIELDS: Mapping[str, Field] = MappingProxyType({field.name: field for field in _FIELDS})
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def field_named(name: str) -> Field | None:
    """The field of that name; ``context.<key>`` is one for every key."""
    if name.startswith(_CONTEXT) and all(name.split(".")):
        return Field(name, Kind.ANY)
    return FIELDS.get(name)


def exists(field: Field, phase: Phase) -> bool:
    """Whether ``field`` is known in ``phase``."""
    return field.phases.covers(phase)


class Forms(NamedTuple):
    """A fact in every form that a test may look at; all empty for a fact that is unknown.

    Attributes:
        texts: folded and without case.
        data: the bytes that patterns search.
    """

    texts: tuple[str, ...] = ()
    data: tuple[bytes, ...] = ()
    numbers: tuple[float, ...] = ()
    flags: tuple[bool, ...] = ()


def forms_of(value: object, *, prose: bool = False) -> Forms:
    """The forms of one fact; of a list, those of all its members.

    Prose is read as static policies read it: as it stands, without disguise, decoded one level deep.
    """
    if isinstance(value, bool):
        return Forms(flags=(value,))
    if isinstance(value, int | float):
        return Forms(numbers=() if value != value else (_float(value),))  # noqa: PLR0124 # not a number is unknown
    if isinstance(value, str) and value:
        read = (view.data for view in readings(value)) if prose else (fold(value), encode(bare(value)))
        data = tuple(dict.fromkeys(read))
        return Forms(tuple(_plain(each) for each in data), data)
    if isinstance(value, list | tuple):
        members = [forms_of(member) for member in value if not isinstance(member, list | tuple)]
        return Forms(
            texts=tuple(text for member in members for text in member.texts),
            data=tuple(data for member in members for data in member.data),
            numbers=tuple(number for member in members for number in member.numbers),
            flags=tuple(flag for member in members for flag in member.flags),
        )
    return Forms()


def _float(value: float) -> float:
    """``value``, infinite where it is too large: a number that a client chose must not slip past ``>``."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def spellings(text: str) -> tuple[str, ...]:
    """What to look for in `Forms.texts` when a rule says ``text``."""
    return tuple(dict.fromkeys(form for form in (_plain(fold(text)), _plain(encode(bare(text)))) if form))


class Known:
    """The forms of a call's facts, made when first asked for; one for one evaluation."""

    __slots__ = ("_facts", "_forms")

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._forms: dict[str, Forms] = {}

    def with_risk(self, risk_score: float) -> Known:
        """The same call with another risk score."""
        other = Known(msgspec.structs.replace(self._facts, risk_score=risk_score))
        other._forms = {name: forms for name, forms in self._forms.items() if name != "risk_score"}
        return other

    def forms(self, field: Field) -> Forms:
        """The forms of what ``field`` names."""
        if field.name not in self._forms:
            self._forms[field.name] = forms_of(_value(self._facts, field.name), prose=field.kind is Kind.PROSE)
        return self._forms[field.name]


def _value(facts: Facts, name: str) -> Any:
    if name.startswith("time."):
        if facts.at is None:
            return None
        return facts.at.hour if name == "time.hour" else _DAYS[facts.at.weekday()]
    if name.startswith("media."):
        return facts.media.get(name.removeprefix("media."))
    if not name.startswith(_CONTEXT):
        value: Any = facts
        for step in name.split("."):
            value = getattr(value, step)
        return value
    key = name.removeprefix(_CONTEXT)
    if key in facts.context:  # a client's own key may hold dots
        return facts.context[key]
    value = facts.context
    for step in key.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _plain(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass").casefold()
