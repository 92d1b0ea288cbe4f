"""What the record knows of media, an entry for each image: JSON or CSV, read and sent page by page."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from axonflow_audit.filters import Position
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import WIRE_WORDS, Verdict, Wire
from axonflow_database import Database

from axonflow_orchestrator.audit.export import cell
from axonflow_orchestrator.callers import Readable, reading
from axonflow_orchestrator.media import store
from axonflow_orchestrator.media.records import ImageResult, MediaAnalysis
from axonflow_orchestrator.media.store import MediaCall
from axonflow_orchestrator.questions import moment

MOST_ROWS = 10_000
CALLS_A_PAGE = 500
DEFAULT_WINDOW = timedelta(days=7)


class Form(StrEnum):
    """A file's form."""

    JSON = "json"
    CSV = "csv"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The query of an export."""

    format: str = Form.JSON
    start_time: str | None = None
    end_time: str | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls are exported, and how."""

    form: Form
    org_id: str
    tenant_id: str | None
    since: datetime
    until: datetime


class MediaEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One image of one call."""

    id: str
    timestamp: datetime
    decision_id: str
    request_id: str | None
    tenant_id: str
    client_id: str
    user_email: str | None
    decision: str
    image: ImageResult


def wanted_of(asked: Asked, readable: Readable) -> Wanted:
    """What is asked, as far as the caller may read it.

    Raises:
        Fault: 400.
    """
    if asked.format not in set(Form):
        raise Fault(400, f"format must be one of {', '.join(Form)}")
    until = moment(asked.end_time, "end_time") or datetime.now(UTC)
    try:
        since = moment(asked.start_time, "start_time") or until - DEFAULT_WINDOW
    except OverflowError:
        since = datetime.min.replace(tzinfo=UTC)
    if since > until:
        raise Fault(400, "start_time must not be after end_time")
    return Wanted(
        form=Form(asked.format),
        org_id=readable.org_id,
        tenant_id=readable.tenant_id,
        since=since if readable.since is None else max(since, readable.since),
        until=until,
    )


@dataclass(frozen=True, slots=True)
class MediaExport:
    """Reads entries; a failure later on ends the stream with an error, so that half a file never looks whole."""

    database: Database

    async def open(self, wanted: Wanted) -> AsyncIterator[bytes]:
        """The file in pieces, once its beginning has been read.

        Raises:
            Fault: 503, PostgreSQL does not answer.
        """
        first = await self._page(wanted, None)
        return (_as_json if wanted.form is Form.JSON else _as_csv)(wanted, self._pages(wanted, first))

    async def _pages(self, wanted: Wanted, calls: list[MediaCall]) -> AsyncIterator[list[MediaEntry]]:
        while calls:
            yield [entry for call in calls for entry in _entries(call)]
            if len(calls) < CALLS_A_PAGE:
                return
            calls = await self._page(wanted, Position(calls[-1].created_at, calls[-1].id))

    async def _page(self, wanted: Wanted, after: Position | None) -> list[MediaCall]:
        async with reading(self.database, wanted.org_id) as connection:
            window = (wanted.since, wanted.until)
            return await store.read_calls(
                connection, wanted.org_id, wanted.tenant_id, window, after=after, limit=CALLS_A_PAGE
            )


def _entries(call: MediaCall) -> Iterator[MediaEntry]:
    decision = WIRE_WORDS[Wire.AUDIT_ENTRY][Verdict(call.verdict)]
    for result in msgspec.convert(call.media, MediaAnalysis).results:
        yield MediaEntry(
            id=call.id,
            timestamp=call.created_at.astimezone(UTC),
            decision_id=call.decision_id,
            request_id=call.request_id,
            tenant_id=call.tenant_id,
            client_id=call.client_id,
            user_email=call.user_email,
            decision=decision,
            image=result,
        )


def _flat(entry: MediaEntry) -> dict[str, Any]:
    head = {name: getattr(entry, name) for name in MediaEntry.__struct_fields__ if name != "image"}
    return {**head, **msgspec.structs.asdict(entry.image)}


async def _as_json(wanted: Wanted, pages: AsyncIterator[list[MediaEntry]]) -> AsyncIterator[bytes]:
    written, truncated = 0, False
    yield b'{"entries":['
    async for page in pages:
        taken = page[: MOST_ROWS - written]
        truncated = len(taken) < len(page)
        lines = b",".join(msgspec.json.encode(_flat(entry)) for entry in taken)
        yield (b"," if written and taken else b"") + lines
        written += len(taken)
        if truncated:
            break
    told = {"count": written, "truncated": truncated, "start_time": wanted.since, "end_time": wanted.until}
    yield b"]," + msgspec.json.encode(told)[1:]


async def _as_csv(_wanted: Wanted, pages: AsyncIterator[list[MediaEntry]]) -> AsyncIterator[bytes]:
    written, columns = 0, [*MediaEntry.__struct_fields__[:-1], *ImageResult.__struct_fields__]
    yield _lines([columns])
    async for page in pages:
        taken = page[: MOST_ROWS - written]
        yield _lines([[cell(value) for value in _flat(entry).values()] for entry in taken])
        written += len(taken)
        if len(taken) < len(page):
            return


def _lines(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)  # RFC 4180
    return out.getvalue().encode()
