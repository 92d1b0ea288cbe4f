"""``GET /api/v1/gateway/gaps``: pre-checks that were approved and never followed by a report, per client and hour.

That nothing forces a client to report its call is the known weakness of Gateway Mode; this makes it visible.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault
from axonflow_database import Database, DatabaseUnavailable
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from axonflow_agent.gateway.store import GapQuery, read_gaps

PATH = "/api/v1/gateway/gaps"
DEFAULT_SPAN = timedelta(hours=24)
LONGEST_SPAN = timedelta(days=92)
DEFAULT_LIMIT, LARGEST_LIMIT, LARGEST_OFFSET = 100, 1_000, 1_000_000
LONGEST_CLIENT_ID = 255
UNLIMITED = -1


@dataclasses.dataclass(frozen=True, slots=True)
class GapEndpoint:
    """The report of one tenant, or of the organisation for the portal.

    Attributes:
        enter: who asks; another service may ask on behalf of a caller.
        retention_days: how far back the record may be read, or -1.
    """

    enter: Callable[[Request], Awaitable[Caller]]
    database: Database
    retention_days: int

    def route(self) -> Route:
        """The URL table's entry."""
        return Route(PATH, self.answer, methods=["GET"])

    async def answer(self, request: Request) -> Response:
        """Totals over the whole span, and one page of the hours in which something is missing."""
        caller = await self.enter(request)
        now = datetime.now(UTC)
        # A service that names no tenant reads for its operator; a client always has one.
        whole = caller.kind is CallerKind.SERVICE and not caller.tenant_id
        query = parse_gap_query(request.query_params, None if whole else caller.tenant_id, now)
        if self.retention_days != UNLIMITED:
            kept_since = now - timedelta(days=self.retention_days)
            query = msgspec.structs.replace(query, since=min(max(query.since, kept_since), query.until))
        try:
            async with self.database.tenant(caller.org_id) as connection:
                totals, gaps, rows, unknown = await read_gaps(connection, query, now)
        except DatabaseUnavailable as error:
            raise Fault(503, "The record cannot be read: try again", headers={"Retry-After": "1"}) from error
        answer = {
            "since": query.since,
            "until": query.until,
            "totals": {**msgspec.structs.asdict(totals), "unknown_contexts": unknown},
            "gaps": gaps,
            "total": rows,
            "limit": query.limit,
            "offset": query.offset,
        }
        return Response(msgspec.json.encode(answer), media_type="application/json")


def parse_gap_query(params: Mapping[str, str], tenant_id: str | None, now: datetime) -> GapQuery:
    """Read ``since``, ``until``, ``client_id``, ``limit`` and ``offset``; the last 24 hours unless told otherwise.

    Raises:
        Fault: 400, a value that its parameter does not take.
    """
    until = _moment(params, "until") or now
    since = _moment(params, "since") or until - DEFAULT_SPAN
    if not timedelta(0) < until - since <= LONGEST_SPAN:
        raise Fault(400, f"until must be after since, by at most {LONGEST_SPAN.days} days")
    client_id = params.get("client_id", "")
    if len(client_id) > LONGEST_CLIENT_ID or "\0" in client_id:
        raise Fault(400, f"client_id must be at most {LONGEST_CLIENT_ID} characters of text")
    return GapQuery(
        tenant_id=tenant_id,
        client_id=client_id,
        since=since,
        until=until,
        limit=_number(params, "limit", DEFAULT_LIMIT, 1, LARGEST_LIMIT),
        offset=_number(params, "offset", 0, 0, LARGEST_OFFSET),
    )


def _moment(params: Mapping[str, str], name: str) -> datetime | None:
    text = params.get(name, "")
    if not text:
        return None
    try:
        # The + of an offset arrives as a blank from clients that do not encode it.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Fault(400, f"{name} must be a time such as 2026-01-31T12:00:00Z")


def _number(params: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= least):
        raise Fault(400, f"{name} must be a whole number from {least}")
    return min(int(text), most)
