"""What clients ask of the record: bodies and query parameters, read strictly, and pages' cursors."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
from axonflow_audit.filters import Position
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import WIRE_WORDS, Verdict, Wire, verdicts_named
from axonflow_web import read_body, strict_json
from starlette.requests import Request

LONGEST_TEXT = 500
_EARLIEST = datetime.min.replace(tzinfo=UTC)

T = TypeVar("T")


async def read_json(request: Request, kind: type[T], limit: int) -> T:
    """The body as ``kind``; members that it does not have are left alone, as other versions' clients send them.

    Raises:
        Fault: 400 or 413.
    """
    body = await read_body(request, limit)
    return from_json(body or b"{}", kind)


def from_json(body: bytes, kind: type[T]) -> T:
    """``body`` as ``kind``.

    Raises:
        Fault: 400.
    """
    return _as(strict_json.loads(body), kind, "Invalid request body", strict=True)


def from_query(params: Mapping[str, str], kind: type[T]) -> T:
    """Query parameters as ``kind``; an empty one counts as not given.

    Raises:
        Fault: 400.
    """
    return _as({name: value for name, value in params.items() if value}, kind, "Invalid query", strict=False)


def _as(value: Any, kind: type[T], what: str, *, strict: bool) -> T:
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise Fault(400, f"{what}: {error}") from error


def moment(text: str | None, name: str) -> datetime | None:
    """An RFC 3339 time; without a zone it is UTC, and a blank where the sign of an offset belongs is a plus.

    Raises:
        Fault: 400.
    """
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Fault(400, f"{name} must be an RFC 3339 time, such as 2026-01-31T12:00:00Z") from None


def before(until: datetime, days: int) -> datetime:
    """The moment ``days`` before another, or the earliest there is."""
    try:
        return until - timedelta(days=days)
    except OverflowError:
        return _EARLIEST


def verdicts(word: str | None, wire: Wire, name: str) -> tuple[Verdict, ...]:
    """The stored verdicts that a filter asks for; nothing asked gives nothing.

    Raises:
        Fault: 400.
    """
    if not word:
        return ()
    found = verdicts_named(word.strip().lower(), wire)
    if not found:
        raise Fault(400, f"{name} must be one of {', '.join(dict.fromkeys(WIRE_WORDS[wire].values()))}")
    return found


def text(value: str | None, name: str) -> str:
    """A filter's text.

    Raises:
        Fault: 400, for one that no row can have.
    """
    found = (value or "").strip()
    if len(found) > LONGEST_TEXT or "\0" in found:
        raise Fault(400, f"{name} must be at most {LONGEST_TEXT} characters of text")
    return found


def whole_number(value: int | None, name: str, *, least: int, most: int, default: int) -> int:
    """A number within its bounds.

    Raises:
        Fault: 400.
    """
    if value is None:
        return default
    if not least <= value <= most:
        raise Fault(400, f"{name} must be from {least} to {most}")
    return value


def cursor_of(position: Position) -> str:
    """A page's end as clients carry it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def position_of(cursor: str) -> Position:
    """Where a cursor of ours points to.

    Raises:
        Fault: 400.
    """
    try:
        decoded = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(decoded, type=Position)
    except (binascii.Error, msgspec.MsgspecError, UnicodeError, ValueError):
        found = None
    if found is None or found.created_at.tzinfo is None or "\0" in found.id:
        raise Fault(400, "cursor must be a next_cursor of this list")
    return found


def answered(body: object) -> bytes:
    """``body`` as JSON."""
    return msgspec.json.encode(body)
