"""Reads of the record: entries, explanations and sums from the orchestrator, gaps and circuits from the agent.

Whatever cannot be read is raised with its cause; nothing here turns a failure into an empty list.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

import msgspec
from axonflow_contracts.errors import Fault

from axonflow_portal.exchange import Answer, Backend, Download, Query, Unreadable
from axonflow_portal.record.filters import DecisionFilter, stamp
from axonflow_portal.record.wire import Circuits, Correlation, Entry, EntryList, Explanation, GapReport, Replay, Summary
from axonflow_portal.troubles import Trouble

PAGE_ROWS = 50
MOST_GAPS = 1000
_END = " could not be read"

T = TypeVar("T")


class NotThere(Exception):
    """The service answered that there is no such thing."""


@dataclass(frozen=True, slots=True)
class RecordReader:
    """Asks the two services; every method raises `Unreadable` where one cannot be read, and as it says."""

    orchestrator: Backend
    agent: Backend

    async def decisions(self, wanted: DecisionFilter, now: datetime) -> EntryList:
        """One page of decisions.

        Raises:
            Fault: 400, the orchestrator does not take a value of the filter.
        """
        asked = {**dict(wanted.asked(now)), "governed": True, "limit": PAGE_ROWS}
        if wanted.cursor:
            asked["cursor"] = wanted.cursor
        body = msgspec.json.encode(asked)
        answer = await self.orchestrator.ask("POST", "/api/v1/audit/search", "decisions", body=body)
        return _read(self.orchestrator, "decisions", answer, EntryList)

    async def export(self, wanted: DecisionFilter, form: str, now: datetime) -> Download:
        """Every decision of a filter as a file.

        Raises:
            Fault: as `decisions`.
        """
        query = [*wanted.asked(now), ("governed", "true"), ("format", form)]
        answer = await self.orchestrator.download("/api/v1/audit/export", "decisions", query=query)
        if isinstance(answer, Download):
            return answer
        raise _refusal(self.orchestrator, "decisions", answer)

    async def explanation(self, decision_id: str) -> Explanation:
        """Why a decision was made.

        Raises:
            NotThere: no such decision.
        """
        path = f"/api/v1/decisions/{quote(decision_id, safe='')}/explain"
        return await self._get(self.orchestrator, path, "explanations", Explanation)

    async def replay(self, decision_id: str, against: str) -> Replay:
        """The decision made again, by the policy set that was ``recorded`` or by the ``current`` one.

        Raises:
            NotThere: no such decision.
        """
        path = f"/api/v1/decisions/{quote(decision_id, safe='')}/replay"
        body = msgspec.json.encode({"against": against})
        return _read(
            self.orchestrator, "replays", await self.orchestrator.ask("POST", path, "replays", body=body), Replay
        )

    async def entry(self, decision_id: str) -> Entry:
        """The decision's first row.

        Raises:
            NotThere: no such row.
        """
        return await self._get(self.orchestrator, f"/api/v1/audit/{quote(decision_id, safe='')}", "entries", Entry)

    async def trace(self, trace_id: str) -> Correlation:
        """All rows of a trace.

        Raises:
            NotThere: no row of it.
        """
        path = f"/api/v1/audit/correlation/{quote(trace_id, safe='')}"
        return await self._get(self.orchestrator, path, "the rows of the trace", Correlation)

    async def summary(self, since: datetime, until: datetime, interval: str) -> Summary:
        """Calls of a window, and of each ``hour`` or ``day`` of it."""
        asked = {"start_time": stamp(since), "end_time": stamp(until), "interval": interval, "governed": True}
        body = msgspec.json.encode(asked)
        answer = await self.orchestrator.ask("POST", "/api/v1/audit/summary", "calls", body=body)
        return _read(self.orchestrator, "calls", answer, Summary)

    async def gaps(self, since: datetime, until: datetime, client_id: str = "") -> GapReport:
        """Approvals that no report followed, the newest hours first."""
        query = [("since", stamp(since)), ("until", stamp(until)), ("limit", str(MOST_GAPS))]
        if client_id:
            query.append(("client_id", client_id))
        return await self._get(self.agent, "/api/v1/gateway/gaps", "gaps", GapReport, query)

    async def circuits(self) -> Circuits | None:
        """The open circuits; None where the edition has none."""
        answer = await self.agent.ask("GET", "/api/v1/circuit-breaker/status", "circuits")
        if answer.status == 404 and "enterprise" in answer.cause:
            return None
        return _read(self.agent, "circuits", answer, Circuits)

    async def _get(self, backend: Backend, path: str, what: str, kind: type[T], query: Query = ()) -> T:
        return _read(backend, what, await backend.ask("GET", path, what, query=query), kind)


def _read(backend: Backend, what: str, answer: Answer, kind: type[T]) -> T:
    if answer.status != 200:
        raise _refusal(backend, what, answer)
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unreadable(backend.trouble(what).unreadable(answer.status)) from error


def _refusal(backend: Backend, what: str, answer: Answer) -> Exception:
    if answer.status == 400 and answer.cause:
        return Fault(400, answer.cause)
    if answer.status == 404 and "not found" in answer.cause.lower():
        return NotThere(answer.cause)
    return Unreadable(backend.trouble(what).refused(answer.status, answer.cause))


async def attempted(reading: Awaitable[T]) -> tuple[T | None, Trouble | None]:
    """What was read, or the trouble; what is not there is neither."""
    try:
        return await reading, None
    except Unreadable as unreadable:
        return None, unreadable.trouble
    except NotThere:
        return None, None


def merged(*troubles: Trouble | None) -> tuple[Trouble, ...]:
    """The troubles, those of one cause told once under all their titles."""
    found: dict[str, Trouble] = {}
    for trouble in troubles:
        if trouble is None:
            continue
        known = found.get(trouble.message)
        if known is None:
            found[trouble.message] = trouble
        elif trouble.title not in known.title:
            title = f"{known.title.removesuffix(_END)}, {trouble.title[:1].lower()}{trouble.title[1:]}"
            found[trouble.message] = dataclasses.replace(known, title=title)
    return tuple(found.values())
