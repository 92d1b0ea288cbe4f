"""The record as a file, CSV or JSON lines: read page by page, so neither memory nor a transaction grows with it."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from axonflow_audit import pages
from axonflow_audit.filters import Position, RecordFilter
from axonflow_database import Database

from axonflow_orchestrator.audit.entries import Entry, entry_of
from axonflow_orchestrator.callers import reading

ROWS_A_PAGE = 500
# What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_COLUMNS = Entry.__struct_fields__


class Form(StrEnum):
    """A file's form."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class AuditExport:
    """Reads all rows of a filter."""

    database: Database

    async def open(self, wanted: RecordFilter, form: Form) -> AsyncIterator[bytes]:
        """The file in pieces, once its beginning has been read.

        A failure later on ends the stream with an error, which cuts the answer: half a file never looks whole.

        Raises:
            Fault: 503, PostgreSQL does not answer.
        """
        first = await self._page(wanted, None)
        return self._pieces(wanted, form, first)

    async def _pieces(self, wanted: RecordFilter, form: Form, entries: list[Entry]) -> AsyncIterator[bytes]:
        write = _WRITERS[form]
        if form is Form.CSV:
            yield _csv_lines([_COLUMNS])
        while entries:
            yield write(entries)
            if len(entries) < ROWS_A_PAGE:
                return
            entries = await self._page(wanted, Position(entries[-1].timestamp, entries[-1].id))

    async def _page(self, wanted: RecordFilter, after: Position | None) -> list[Entry]:
        async with reading(self.database, wanted.org_id) as connection:
            rows = await pages.read_page(connection, wanted, limit=ROWS_A_PAGE, after=after)
        return [entry_of(row) for row in rows]


def _jsonl(entries: list[Entry]) -> bytes:
    return msgspec.json.Encoder().encode_lines(entries)


def _csv(entries: list[Entry]) -> bytes:
    return _csv_lines([cell(getattr(entry, column)) for column in _COLUMNS] for entry in entries)


def _csv_lines(lines: Iterable[Iterable[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(lines)  # RFC 4180
    return out.getvalue().encode()


def cell(value: Any) -> str:
    """A value as a cell that no spreadsheet runs."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    written = value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')
    return f"'{written}" if written.startswith(_FORMULA) or written.lstrip().startswith(_FORMULA) else written


_WRITERS: dict[Form, Callable[[list[Entry]], bytes]] = {Form.CSV: _csv, Form.JSONL: _jsonl}
