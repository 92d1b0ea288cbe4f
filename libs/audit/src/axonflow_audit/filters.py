"""Which rows of the record are asked for, as conditions over ``audit_logs``; values always travel apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, LiteralString

import msgspec


class RecordFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a row must be to be read; an empty member asks for nothing.

    Attributes:
        tenant_id: None reads every tenant of the organisation.
        since: the earliest moment, included; an edition's window is enforced by it.
        until: the latest moment, included.
        verdicts: any of these.
        client: a part of the client id, in any case.
        user_email: a part of the address, in any case.
        policy_name: a part of the name or id of a policy that matched, in any case.
        override_id: an override that acted, or whose own change the row tells of.
        tool_signature: the tool that a row names, or that a decision's target does.
        governed: decisions on calls alone, without changes of policies and reports of tools.
        sampled: calls alone whose answer was drawn for review.
    """

    org_id: str
    tenant_id: str | None
    since: datetime | None = None
    until: datetime | None = None
    verdicts: tuple[str, ...] = ()
    client: str = ""
    client_id: str = ""
    user_email: str = ""
    user_id: str = ""
    request_type: str = ""
    plane: str = ""
    provider: str = ""
    model: str = ""
    decision_id: str = ""
    trace_id: str = ""
    policy_name: str = ""
    policy_id: str = ""
    override_id: str = ""
    tool_signature: str = ""
    governed: bool = False
    sampled: bool = False


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended; rows come newest first, and rows of one moment by id."""

    created_at: datetime
    id: str


# The partial indexes, over rows with a match and over rows that were not allowed, are used only where the statement
# says that a row is one of those.
_ALLOWED = "allowed"
_NOT_ALLOWED: LiteralString = "verdict <> 'allowed'"
_MATCHED: LiteralString = "matched_policies <> '[]'::jsonb AND "
_CONDITIONS: Mapping[str, LiteralString] = MappingProxyType(
    {
        "tenant_id": "tenant_id = %(tenant_id)s",
        "since": "created_at >= %(since)s",
        "until": "created_at <= %(until)s",
        "verdicts": "verdict = ANY(%(verdicts)s)",
        "client": "client_id ILIKE %(client)s",
        "client_id": "client_id = %(client_id)s",
        "user_email": "user_email ILIKE %(user_email)s",
        "user_id": "user_id = %(user_id)s",
        "request_type": "request_type = %(request_type)s",
        "plane": "plane = %(plane)s",
        "provider": "provider = %(provider)s",
        "model": "model = %(model)s",
        "decision_id": "decision_id = %(decision_id)s",
        "trace_id": "trace_id = %(trace_id)s",
        "policy_name": _MATCHED
        + "EXISTS (SELECT FROM jsonb_array_elements(matched_policies) m "
        + "WHERE m->>'name' ILIKE %(policy_name)s OR m->>'policy_id' ILIKE %(policy_name)s)",
        "policy_id": _MATCHED
        + "matched_policies @> jsonb_build_array(jsonb_build_object('policy_id', %(policy_id)s::text))",
        "override_id": "(metadata->>'override_id' = %(override_id)s OR matched_policies "
        "@> jsonb_build_array(jsonb_build_object('origin', 'override:' || %(override_id)s::text)))",
        "tool_signature": "coalesce(metadata->>'tool_signature', metadata->'target'->>'tool') = %(tool_signature)s",
        "governed": "plane <> 'agent'",
        "sampled": "response_sample IS NOT NULL",
    }
)
_PARTS = frozenset({"client", "user_email", "policy_name"})


def where_of(wanted: RecordFilter, after: Position | None = None) -> tuple[LiteralString, dict[str, Any]]:
    """The condition for ``wanted``, of rows behind ``after`` alone, and its parameters."""
    parts: list[LiteralString] = ["org_id = %(org_id)s"]
    params: dict[str, Any] = {"org_id": wanted.org_id}
    for name, condition in _CONDITIONS.items():
        value = getattr(wanted, name)
        if not value and not (name == "tenant_id" and value is not None):
            continue
        parts.append(condition)
        params[name] = _READERS.get(name, _as_it_is)(value)
    if wanted.verdicts and _ALLOWED not in wanted.verdicts:
        parts.append(_NOT_ALLOWED)
    if after is not None:
        parts.append("(created_at, id) < (%(after_at)s, %(after_id)s)")
        params |= {"after_at": after.created_at, "after_id": after.id}
    return " AND ".join(parts), params


def _as_it_is(value: Any) -> Any:
    return value


def _pattern(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


_READERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType({**dict.fromkeys(_PARTS, _pattern), "verdicts": list})
