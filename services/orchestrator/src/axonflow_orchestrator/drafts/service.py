"""A draft run over recorded traffic: page by page, each bounded in time, in constant memory and off the loop."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from axonflow_audit import AuditRow, pages
from axonflow_audit.filters import Position, RecordFilter
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Plane
from axonflow_database import Database, DatabaseUnavailable
from axonflow_governance.errors import PolicySetUnavailable
from axonflow_governance.inputs import InputSealer, JudgedInput
from axonflow_governance.rebuilding import Layers, SetBuilder
from axonflow_policy.policy_set import InvalidPolicy
from axonflow_settings import Edition

from axonflow_orchestrator.audit.queries import later
from axonflow_orchestrator.callers import Readable, reading
from axonflow_orchestrator.drafts.bodies import DraftBody, Run, run_of
from axonflow_orchestrator.drafts.draft import Draft, draft_of, pair_of, scanned_for
from axonflow_orchestrator.drafts.judging import Bench, Flip, Held, Means, hold, open_input
from axonflow_orchestrator.drafts.progress import Progress, progress_of
from axonflow_orchestrator.replay.postures import family_of, posture_of
from axonflow_orchestrator.replay.store import StoredInput, read_inputs

PAGE_S = 5.0
COUNT_BUDGET_MS = 3_000
# Inputs of half a megabyte at most: a batch of them is what a run holds in memory.
ROWS_AT_ONCE = 40
RUNS_AT_ONCE = 2
_RULED = frozenset({Plane.MCP, Plane.PROXY})  # planes that judge by what tenants write (rulings section 4)


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the window the run tells of; counts are of all pages so far.

    Attributes:
        decisions: m, all in the window; None where counting took too long.
        judged: n, those that could be held against the draft.
        exact: of these, from whole inputs.
        approximate: of these, from what their rows tell.
        not_judged: seen, with nothing to judge.
        text: ``n of m``.
    """

    decisions: int | None
    judged: int
    exact: int
    approximate: int
    not_judged: int
    text: str


class DraftReport(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a run, newest decisions first.

    Attributes:
        flip_count: of all pages so far.
        complete: whether every decision of the window has been seen; else ``next_cursor`` goes on.
        notes: what the run assumed.
    """

    since: datetime
    until: datetime
    flips: tuple[Flip, ...]
    flip_count: int
    coverage: Coverage
    complete: bool
    next_cursor: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Benches:
    """What each kind of plane is judged by; made when the first decision of that kind is met."""

    runner: DraftRunner
    org_id: str
    tenant_id: str
    edition: Edition
    draft: Draft | None = None
    notes: list[str] = field(default_factory=list)
    made: dict[tuple[str, bool], Bench] = field(default_factory=dict)

    async def open(self, body: DraftBody) -> None:
        """Check the draft, before anything is read."""
        layers = await self._layers(Plane.OPENAI)
        self.draft = await asyncio.to_thread(draft_of, body, layers)
        await self.of(Plane.OPENAI, judges=False)

    async def of(self, plane: Plane, *, judges: bool) -> Bench:
        key = (family_of(plane), judges)
        if key not in self.made:
            layers = await self._layers(plane)
            self.made[key] = await asyncio.to_thread(self._bench, layers, judges=judges)
        return self.made[key]

    def _bench(self, layers: Layers, *, judges: bool) -> Bench:
        assert self.draft is not None  # noqa: S101 - set by open()
        pair = pair_of(self.draft, layers, tenant_rules=judges)
        acts = self.edition is not Edition.COMMUNITY
        return Bench(self.draft, pair, scanned_for(self.draft, pair), judges=judges, approvals_act=acts)

    async def _layers(self, plane: Plane) -> Layers:
        posture, notes = await posture_of(self.runner.database, plane)
        self.notes.extend(note for note in notes if note not in self.notes)
        overrides_act = self.edition is Edition.ENTERPRISE
        sets, whose = self.runner.sets, (self.org_id, self.tenant_id)
        return await sets.now(*whose, posture, tenant_rules=True, overrides_act=overrides_act)


@dataclass(frozen=True, slots=True)
class DraftRunner:
    """Runs drafts, few at a time."""

    database: Database
    sealer: InputSealer
    sets: SetBuilder
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(RUNS_AT_ONCE))

    async def run(self, body: DraftBody, readable: Readable, tenant_id: str, *, page_s: float = PAGE_S) -> DraftReport:
        """One page of a run for a tenant.

        Args:
            body: the draft and the window.
            readable: what the caller may read.
            tenant_id: whose policies are in force.
            page_s: how long a page may take, in seconds; at least one batch is judged.

        Raises:
            Fault: 400 for the draft or the window, 429 while others run, 503.
        """
        asked = run_of(body, readable)
        if self.places.locked():
            raise Fault(429, "Other drafts are being run: try again", headers={"Retry-After": "2"})
        benches = _Benches(self, readable.org_id, tenant_id, readable.edition)
        async with self.places:
            try:
                await benches.open(body)
                return await self._page(body, asked, readable, benches, page_s)
            except InvalidPolicy as error:
                raise Fault(400, f"policies: {error}") from error
            except (DatabaseUnavailable, PolicySetUnavailable) as error:
                message = "The draft cannot be run: PostgreSQL does not answer in time"
                raise Fault(503, message, headers={"Retry-After": "1"}) from error

    async def _page(
        self, body: DraftBody, asked: Run, readable: Readable, benches: _Benches, page_s: float
    ) -> DraftReport:
        digest = body.digest()
        progress = progress_of(body.cursor, digest) if body.cursor else None
        if progress is not None:
            since = later(progress.since, readable.since) or progress.since
            asked = asked._replace(since=since, until=progress.until)
        wanted = _wanted(asked, readable)
        if progress is None:
            async with reading(self.database, readable.org_id) as connection:
                total = await pages.count_rows(connection, wanted, budget_ms=COUNT_BUDGET_MS)
            progress = Progress(digest=digest, since=asked.since, until=asked.until, total=total)
        flips: list[Flip] = []
        deadline = time.monotonic() + page_s
        complete = False
        while not complete and len(flips) < asked.limit:
            rows, inputs = await self._batch(wanted, progress.after)
            held = await self._held(rows, inputs, benches)
            progress = _counted(progress, rows, held, flips, asked.limit, only_where_judged=body.only_where_judged)
            complete = len(rows) < ROWS_AT_ONCE and (not rows or progress.after == _position(rows[-1]))
            if time.monotonic() >= deadline:
                break
        return _report(progress, flips, benches.notes, complete=complete)

    async def _batch(
        self, wanted: RecordFilter, after: Position | None
    ) -> tuple[list[AuditRow], dict[tuple[datetime, str], StoredInput]]:
        async with reading(self.database, wanted.org_id) as connection:
            rows = await pages.read_page(connection, wanted, limit=ROWS_AT_ONCE, after=after)
            return rows, await read_inputs(connection, wanted.org_id, rows)

    async def _held(
        self, rows: list[AuditRow], inputs: dict[tuple[datetime, str], StoredInput], benches: _Benches
    ) -> list[Held]:
        held = []
        for row in rows:
            stored = inputs.get((row.created_at, row.id))
            sealed = None if stored is None else stored.sealed
            judged = None if sealed is None else await asyncio.to_thread(open_input, self.sealer, sealed, row)
            bench = await benches.of(Plane(row.plane), judges=_judges(row, judged))
            held.append(await asyncio.to_thread(hold, bench, row, judged))
        return held


def _judges(row: AuditRow, judged: JudgedInput | None) -> bool:
    return Plane(row.plane) in _RULED if judged is None else judged.tenant_rules


def _wanted(asked: Run, readable: Readable) -> RecordFilter:
    return RecordFilter(
        org_id=readable.org_id,
        tenant_id=readable.tenant_id,
        since=asked.since,
        until=asked.until,
        client_id=asked.client_id,
        governed=True,
    )


def _position(row: AuditRow) -> Position:
    return Position(row.created_at, row.id)


def _counted(
    progress: Progress,
    rows: list[AuditRow],
    held: list[Held],
    flips: list[Flip],
    limit: int,
    *,
    only_where_judged: bool,
) -> Progress:
    """The progress behind the rows of a batch, as far as the page has room for their flips, which it gains."""
    counts = {Means.SEALED: progress.sealed, Means.RECORD: progress.record, Means.NOTHING: progress.nothing}
    after, found = progress.after, progress.flips
    for row, (means, flip) in zip(rows, held, strict=True):
        if len(flips) >= limit:
            break
        counts[means] += 1
        after = _position(row)
        if flip is not None and (flip.plane_judges or not only_where_judged):
            flips.append(flip)
            found += 1
    return msgspec.structs.replace(
        progress,
        after=after,
        sealed=counts[Means.SEALED],
        record=counts[Means.RECORD],
        nothing=counts[Means.NOTHING],
        flips=found,
    )


def _report(progress: Progress, flips: list[Flip], notes: list[str], *, complete: bool) -> DraftReport:
    judged = progress.sealed + progress.record
    total = progress.total
    if total is not None:  # what was counted before can differ from what is seen by what came late
        total = max(total, progress.seen)
    if complete:
        total = progress.seen
    coverage = Coverage(
        decisions=total,
        judged=judged,
        exact=progress.sealed,
        approximate=progress.record,
        not_judged=progress.nothing,
        text=f"{judged} of {'an unknown number' if total is None else total}",
    )
    return DraftReport(
        since=progress.since,
        until=progress.until,
        flips=tuple(flips),
        flip_count=progress.flips,
        coverage=coverage,
        complete=complete,
        next_cursor=None if complete else progress.cursor(),
        notes=tuple(notes),
    )
