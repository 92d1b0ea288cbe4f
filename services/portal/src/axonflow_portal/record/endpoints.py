"""The pages about the record.

A page whose every source failed answers 502, as in `pages.endpoints`; one that could be read in part is shown, with a
banner for each cause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs

from axonflow_contracts.errors import Fault
from axonflow_web import read_body
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from axonflow_portal.exchange import Unreadable
from axonflow_portal.pages.endpoints import message_page
from axonflow_portal.pages.render import Templates
from axonflow_portal.record.filters import parse_client, parse_decisions, parse_window, span_of
from axonflow_portal.record.reading import NotThere, RecordReader, attempted, merged
from axonflow_portal.record.relay import Relay
from axonflow_portal.record.replaying import ReplayView
from axonflow_portal.record.views import DecisionsView, GapsView, Overview, interval_of
from axonflow_portal.record.why import DecisionView
from axonflow_portal.security import refuse_other_sites
from axonflow_portal.troubles import Trouble

FORMS = ("csv", "jsonl")
AGAINST = ("recorded", "current")
LARGEST_FORM = 1024
Page = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class RecordPages:
    """Overview, decisions, one decision, gaps."""

    reader: RecordReader
    templates: Templates

    async def overview(self, request: Request) -> Response:
        """``GET /``."""
        window, now = parse_window(request.query_params), datetime.now(UTC)
        since = now - span_of(window)
        calls, gaps, circuits = await asyncio.gather(
            attempted(self.reader.summary(since, now, interval_of(window))),
            attempted(self.reader.gaps(since, now)),
            attempted(self.reader.circuits()),
        )
        troubles = merged(calls[1], gaps[1], circuits[1])
        view = Overview(window=window, summary=calls[0], gaps=gaps[0], circuits=circuits[0], troubles=troubles, now=now)
        status = 502 if view.summary is None and view.gaps is None else 200
        return self.templates.page("overview.html", status, view=view, here="overview")

    async def decisions(self, request: Request) -> Response:
        """``GET /decisions``."""
        wanted, now = parse_decisions(request.query_params), datetime.now(UTC)
        page, trouble = await attempted(self.reader.decisions(wanted, now))
        view = DecisionsView(wanted, page, merged(trouble), now)
        return self.templates.page("decisions.html", 502 if trouble else 200, view=view, here="decisions")

    async def export(self, request: Request) -> Response:
        """``GET /decisions/export?format``: the rows of the filter as a file, passed on while it arrives."""
        form = request.query_params.get("format", FORMS[0])
        if form not in FORMS:
            raise Fault(400, f"format must be one of {', '.join(FORMS)}")
        wanted = parse_decisions(request.query_params)
        return Relay(await self.reader.export(wanted, form, datetime.now(UTC)))

    async def decision(self, request: Request) -> Response:
        """``GET /decisions/{decision_id}``."""
        decision_id = request.path_params["decision_id"]
        told = await self.reader.explanation(decision_id)
        entry, trouble = await attempted(self.reader.entry(decision_id))
        trace, lost = await attempted(self.reader.trace(told.trace_id)) if told.trace_id else (None, None)
        now = datetime.now(UTC)
        view = DecisionView(told=told, entry=entry, trace=trace, troubles=merged(trouble, lost), now=now)
        return self.templates.page("decision.html", view=view, here="decision")

    async def replay(self, request: Request) -> Response:
        """``POST /decisions/{decision_id}/replay``: the decision made again; nothing is written by it."""
        refuse_other_sites(request)
        form = parse_qs((await read_body(request, LARGEST_FORM)).decode("latin-1"))
        against = form.get("against", [AGAINST[0]])[0]
        if against not in AGAINST:
            raise Fault(400, f"against must be one of {', '.join(AGAINST)}")
        told = await self.reader.replay(request.path_params["decision_id"], against)
        return self.templates.page("replay.html", view=ReplayView(told), here="decision")

    async def gaps(self, request: Request) -> Response:
        """``GET /gaps``."""
        window, client = parse_window(request.query_params), parse_client(request.query_params)
        now = datetime.now(UTC)
        report, trouble = await attempted(self.reader.gaps(now - span_of(window), now, client))
        view = GapsView(window=window, client=client, report=report, troubles=merged(trouble), now=now)
        return self.templates.page("gaps.html", 502 if trouble else 200, view=view, here="gaps")


def routes(reader: RecordReader, templates: Templates) -> list[BaseRoute]:
    """The URL table of these pages."""
    pages = RecordPages(reader, templates)
    table = (
        ("/", pages.overview),
        ("/decisions", pages.decisions),
        ("/decisions/export", pages.export),
        ("/decisions/{decision_id}", pages.decision),
        ("/gaps", pages.gaps),
    )
    again = Route("/decisions/{decision_id}/replay", _told(pages.replay, templates), methods=["POST"])
    return [*(Route(path, _told(page, templates)) for path, page in table), again]


def _told(page: Page, templates: Templates) -> Page:
    """The page, or a page that says why there is none."""

    async def endpoint(request: Request) -> Response:
        try:
            return await page(request)
        except Fault as fault:
            title = "That filter cannot be read" if request.method == "GET" else "That form was not taken"
            return message_page(templates, fault.status, title, f"{fault.message}.", _back(request))
        except NotThere:
            message = "The record holds no decision with this id: it may be older than what this edition keeps."
            return message_page(templates, 404, "No such decision", message, "decisions")
        except Unreadable as unreadable:
            return _unread(templates, unreadable.trouble, _back(request))

    return endpoint


def _back(request: Request) -> str:
    """The list that a page belongs to."""
    return "decisions" if request.url.path.startswith("/decisions") else ""


def _unread(templates: Templates, trouble: Trouble, back: str) -> Response:
    title, message = "This could not be looked up", "The record could not be read, so it is not known what it holds."
    return templates.page("message.html", 502, title=title, message=message, troubles=(trouble,), back=back)
