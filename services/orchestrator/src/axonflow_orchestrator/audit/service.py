"""Reads of the record: a page with its true total, one entry, one trace, a summary. No HTTP, no SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from axonflow_audit import AuditRow, pages
from axonflow_audit.filters import Position, RecordFilter
from axonflow_audit.traces import TraceRow, rows_of_trace
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import WIRE_WORDS, Verdict, Wire
from axonflow_database import Connection, Database

from axonflow_orchestrator.audit.entries import Entry, entry_of
from axonflow_orchestrator.audit.queries import Interval, Page
from axonflow_orchestrator.callers import Readable, reading
from axonflow_orchestrator.questions import cursor_of

COUNT_BUDGET_MS = 3_000
TOP_POLICIES = 10
MOST_TRACE_ROWS = 1000
NOT_COUNTED = "total: counting took too long; it tells the rows that were read"
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


class EntryList(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of entries, newest first.

    Attributes:
        total: rows that the filter matches, not those of this page.
        next_cursor: asks for the page behind this one, whatever was added meanwhile; absent on the last page.
        source_errors: what could not be read, with ``partial``.
    """

    entries: tuple[Entry, ...]
    total: int
    limit: int
    offset: int
    has_more: bool
    retention_days: int
    next_cursor: str | None = None
    partial: bool = False
    source_errors: tuple[str, ...] = ()


class TracedRow(msgspec.Struct, frozen=True):
    """A row of one trace; an entry of ``audit_logs`` in the form of the search."""

    source: str
    timestamp: datetime
    row: Any


class Correlation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every row of one trace, oldest first."""

    trace_id: str
    rows: tuple[TracedRow, ...]
    total: int
    partial: bool = False
    source_errors: tuple[str, ...] = ()


class Step(msgspec.Struct, frozen=True):
    """The calls of one hour or day, by verdict; steps without a call are left out."""

    start: datetime
    by_action: dict[str, int]


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened between two moments; each call counts, also those that were folded into one row.

    Attributes:
        series: by hour or day, where the caller asked for it.
    """

    start_time: datetime | None
    end_time: datetime | None
    total_events: int
    total_requests: int
    allowed_requests: int
    blocked_requests: int
    modified_requests: int
    block_rate_percent: float
    compliance_score: float
    avg_latency_ms: float
    by_severity: dict[str, int]
    by_action: dict[str, int]
    top_policies: tuple[pages.PolicyCount, ...]
    series: tuple[Step, ...] | None = None


@dataclass(frozen=True, slots=True)
class AuditReader:
    """Reads as the tenant role, each time in a transaction of its own."""

    database: Database

    async def page(self, wanted: RecordFilter, page: Page, retention_days: int) -> EntryList:
        """One page and the true total.

        Raises:
            Fault: 503, PostgreSQL does not answer.
        """
        async with reading(self.database, wanted.org_id) as connection:
            rows = await pages.read_page(connection, wanted, limit=page.limit + 1, offset=page.offset, after=page.after)
            total = await _total(connection, wanted, page, rows)
        shown, has_more = rows[: page.limit], len(rows) > page.limit
        return EntryList(
            entries=tuple(entry_of(row) for row in shown),
            total=page.offset + len(rows) if total is None else total,
            limit=page.limit,
            offset=page.offset,
            has_more=has_more,
            retention_days=retention_days,
            next_cursor=cursor_of(Position(shown[-1].created_at, shown[-1].id)) if has_more else None,
            partial=total is None,
            source_errors=(NOT_COUNTED,) if total is None else (),
        )

    async def one(self, entry_id: str, readable: Readable) -> Entry:
        """The entry with this id.

        Raises:
            Fault: 404, also for an entry of another tenant; 503.
        """
        async with reading(self.database, readable.org_id) as connection:
            row = await pages.read_entry(connection, everything(readable), entry_id)
        if row is None:
            raise Fault(404, "Audit entry not found")
        return entry_of(row)

    async def trace(self, trace_id: str, readable: Readable) -> Correlation:
        """All rows of one trace.

        Raises:
            Fault: 404 without any row that the caller may read, 503.
        """
        params = {
            "org_id": readable.org_id,
            "tenant_id": readable.tenant_id,
            "trace_id": trace_id,
            "since": readable.since or _EARLIEST,
            "limit": MOST_TRACE_ROWS + 1,
        }
        async with reading(self.database, readable.org_id) as connection:
            found = await rows_of_trace(connection, params)
        if not found:
            raise Fault(404, "No row of this trace was found")
        errors = tuple(_cut_short(found))
        rows = tuple(_traced(each) for each in found)
        return Correlation(trace_id=trace_id, rows=rows, total=len(rows), partial=bool(errors), source_errors=errors)

    async def summary(self, wanted: RecordFilter, interval: Interval | None = None) -> Summary:
        """Counts over a window, and over each hour or day of it.

        Raises:
            Fault: 503, PostgreSQL does not answer, or not in time for so long a window.
        """
        async with reading(self.database, wanted.org_id) as connection:
            groups = await pages.summary_groups(connection, wanted)
            top = await pages.top_policies(connection, wanted, most=TOP_POLICIES)
            steps = None if interval is None else await pages.calls_by_step(connection, wanted, interval.value)
        told = _summary(wanted, groups, tuple(top))
        return told if steps is None else msgspec.structs.replace(told, series=_series(steps))


def everything(readable: Readable) -> RecordFilter:
    """Every row that the caller may read."""
    return RecordFilter(org_id=readable.org_id, tenant_id=readable.tenant_id, since=readable.since)


async def _total(connection: Connection, wanted: RecordFilter, page: Page, rows: list[AuditRow]) -> int | None:
    # The last page of a list that is read by offset has been counted by reading it.
    if page.after is None and len(rows) <= page.limit and (rows or page.offset == 0):
        return page.offset + len(rows)
    return await pages.count_rows(connection, wanted, budget_ms=COUNT_BUDGET_MS)


def _traced(found: TraceRow) -> TracedRow:
    row = found.row
    return TracedRow(found.source, row.created_at, entry_of(row) if isinstance(row, AuditRow) else row)


def _cut_short(found: Iterable[TraceRow]) -> list[str]:
    counts = Counter(each.source for each in found)
    return [f"{source}: only the first rows were read" for source, count in counts.items() if count > MOST_TRACE_ROWS]


def _series(steps: Iterable[pages.StepCount]) -> tuple[Step, ...]:
    words = WIRE_WORDS[Wire.AUDIT_ENTRY]
    told: dict[datetime, dict[str, int]] = {}
    for step in steps:
        told.setdefault(step.start, {})[words[Verdict(step.verdict)]] = step.calls
    return tuple(Step(start, counts) for start, counts in told.items())


def _summary(wanted: RecordFilter, groups: list[pages.SummaryGroup], top: tuple[pages.PolicyCount, ...]) -> Summary:
    verdicts: Counter[Verdict] = Counter()
    severities: Counter[str] = Counter()
    for group in groups:
        verdicts[Verdict(group.verdict)] += group.calls
        severities[group.severity] += group.calls
    total = verdicts.total()
    blocked = verdicts[Verdict.BLOCKED] + verdicts[Verdict.NEEDS_APPROVAL]
    clean = verdicts[Verdict.ALLOWED] + verdicts[Verdict.REDACTED]
    timed = sum(group.timed for group in groups)
    words = WIRE_WORDS[Wire.AUDIT_ENTRY]
    return Summary(
        start_time=wanted.since,
        end_time=wanted.until,
        total_events=total,
        total_requests=total,
        allowed_requests=verdicts[Verdict.ALLOWED],
        blocked_requests=blocked,
        modified_requests=verdicts[Verdict.REDACTED],
        block_rate_percent=round(100 * blocked / total, 2) if total else 0.0,
        compliance_score=round(100 * clean / total, 2) if total else 100.0,
        avg_latency_ms=round(sum(group.latency_ms or 0 for group in groups) / timed, 3) if timed else 0.0,
        by_severity=dict(severities),
        by_action={words[verdict]: count for verdict, count in verdicts.items()},
        top_policies=top,
    )
