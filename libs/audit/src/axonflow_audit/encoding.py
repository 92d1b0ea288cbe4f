"""Rows to JSON: once, for PostgreSQL and for the fallback file alike, with the text PostgreSQL cannot hold escaped."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from axonflow_audit.rows import (
    AUDIT_LOGS,
    CHAIN_MEMBER,
    TABLE_OF,
    TOO_LARGE,
    AuditEntry,
    AuditRow,
    DecisionChainRow,
    DetailRow,
    GatewayContextRow,
    LlmCallRow,
    McpQueryRow,
    SealedInputRow,
)

# Longer keys would not fit into an index; a longer text is a mistake of its caller and is cut, not lost.
LONGEST_TEXT = 500
# Of a whole row: jsonb and the file would take more, but one row must not fill a batch.
_LONGEST_ROW = 1_000_000
ALTERED = "altered"

_Row = TypeVar("_Row", bound=AuditRow | DetailRow)


class _Line(msgspec.Struct, frozen=True):
    """A line of the fallback file (agent.md §4.3): rows by table in ``details``."""

    type: str
    timestamp: datetime
    severity: str
    user_id: str | None
    client_id: str
    details: dict[str, list[msgspec.Raw]]


@dataclasses.dataclass(frozen=True, slots=True)
class EncodedEntry:
    """An entry ready for either place: ``rows`` holds table names and JSON objects, ``line`` the file's form."""

    rows: tuple[tuple[str, bytes], ...]
    decision: AuditRow | None = None
    stored_line: bytes | None = None

    @property
    def size(self) -> int:
        """Bytes of the rows."""
        return sum(len(row) for _, row in self.rows)

    def line(self) -> bytes:
        """The entry as a line of the fallback file, newline included."""
        if self.stored_line is not None:
            return self.stored_line + b"\n"
        details: dict[str, list[msgspec.Raw]] = {}
        for table, row in self.rows:
            details.setdefault(table, []).append(msgspec.Raw(row))
        decision = self.decision
        assert decision is not None  # noqa: S101 - an entry comes from encode() or from decode(), which sets the line
        line = _Line(
            type="audit",
            timestamp=decision.created_at,
            severity="info" if decision.verdict == "allowed" else "warning",
            user_id=decision.user_id,
            client_id=decision.client_id,
            details=details,
        )
        return msgspec.json.encode(line) + b"\n"


def encode(entry: AuditEntry) -> EncodedEntry:
    """The entry's rows as JSON that PostgreSQL accepts.

    Raises:
        ValueError: a ``created_at`` has no zone, so its moment is not known.
    """
    moments = [entry.decision.created_at, *(detail.created_at for detail in entry.details)]
    for moment in moments:
        if moment.tzinfo is None:
            raise ValueError("created_at of an audit row must know its zone")
    decision, first = _encode_row(entry.decision)
    rows = [(AUDIT_LOGS, first)]
    rows.extend((TABLE_OF[type(detail)], _encode_row(detail)[1]) for detail in entry.details)
    return EncodedEntry(rows=tuple(rows), decision=decision)


def decode(line: bytes) -> EncodedEntry | None:
    """The entry of a line of the fallback file, or ``None`` if the line is not whole."""
    try:
        parsed = _line_decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    rows = tuple((table, bytes(row)) for table, found in parsed.details.items() for row in found)
    return EncodedEntry(rows=rows, stored_line=line) if rows else None


_line_decoder = msgspec.json.Decoder(_Line)
_encoder = msgspec.json.Encoder(enc_hook=lambda value: dict(value) if isinstance(value, Mapping) else str(value))


def storable(row: _Row) -> _Row:
    """``row`` as PostgreSQL will hold it: what a reader finds again, and so what a hash must be made of."""
    return _encode_row(row)[0]


def _encode_row(row: _Row) -> tuple[_Row, bytes]:
    """The row as it will stand and its JSON; the common case costs one pass of the encoder."""
    try:
        encoded = _encoder.encode(row)
    except UnicodeEncodeError:  # a lone surrogate
        encoded = b""
    except (RecursionError, OverflowError, TypeError, ValueError):  # too deep, or no JSON at all
        row = msgspec.structs.replace(row, **_without_bulk(row))
        encoded = b""
    # The second test also hits a harmless escaped backslash; then cleaning changes nothing.
    if not encoded or b"\\u0000" in encoded or (len(encoded) > LONGEST_TEXT and _has_long_text(row)):
        row = _cleaned_row(row)
        encoded = _encoder.encode(row)
    if len(encoded) > _LONGEST_ROW:
        row = msgspec.structs.replace(row, **_without_bulk(row))
        encoded = _encoder.encode(row)
    return row, encoded


def _has_long_text(row: AuditRow | DetailRow) -> bool:
    return any(isinstance(value, str) and len(value) > LONGEST_TEXT for value in msgspec.structs.astuple(row))


def _cleaned_row(row: _Row) -> _Row:
    changes: dict[str, Any] = {}
    for name in row.__struct_fields__:
        value = getattr(row, name)
        clean = cleaned(value)
        if isinstance(value, str) and len(clean) > LONGEST_TEXT:
            clean = clean[: LONGEST_TEXT - 1] + "…"
        if clean != value:
            changes[name] = clean
    return msgspec.structs.replace(row, **_flagged(row, changes)) if changes else row


def _flagged(row: AuditRow | DetailRow, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes, with the mark that there were some; a table without room for it has the decision's row beside it."""
    if isinstance(row, AuditRow):
        return {**changes, "input_flagged": True}
    if isinstance(row, LlmCallRow | DecisionChainRow):
        return {**changes, "metadata": {**changes.get("metadata", row.metadata), ALTERED: True}}
    return changes


def _without_bulk(row: AuditRow | DetailRow) -> dict[str, Any]:
    """What to replace in a row whose structured fields are beyond all measure."""
    if isinstance(row, GatewayContextRow):
        return {"data_sources": (), "policies_evaluated": row.policies_evaluated[:100]}
    if isinstance(row, McpQueryRow):
        return {
            "request_matched_policies": row.request_matched_policies[:100],
            "response_matched_policies": row.response_matched_policies[:100],
            "response_redacted_fields": (),
        }
    if isinstance(row, SealedInputRow):
        return {"sealed": None, "omitted": TOO_LARGE}
    bulk: dict[str, Any] = {"metadata": {}}
    if isinstance(row, AuditRow):
        bulk["matched_policies"] = row.matched_policies[:100]
        bulk["metadata"] = {name: value for name, value in row.metadata.items() if name == CHAIN_MEMBER}
        bulk["redacted_fields"] = row.redacted_fields[:100]
    elif isinstance(row, DecisionChainRow):
        bulk |= {"policies_evaluated": row.policies_evaluated[:100], "data_sources": ()}
    return _flagged(row, bulk)


def cleaned(value: Any) -> Any:
    """``value`` with NUL and lone surrogates written out as their JSON escapes, in keys too."""
    if isinstance(value, str):
        if value.isascii() and "\x00" not in value:
            return value
        return "".join(
            f"\\u{ord(char):04x}" if char == "\x00" or "\ud800" <= char <= "\udfff" else char for char in value
        )
    if isinstance(value, Mapping):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(cleaned(item) for item in value)
    if isinstance(value, msgspec.Struct):
        changes = {name: cleaned(getattr(value, name)) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **changes)
    return value
