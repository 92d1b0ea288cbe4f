"""Filters, pages and windows of the audit reads (orchestrator contract section 1.13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec
from axonflow_audit.filters import Position, RecordFilter
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Wire

from axonflow_orchestrator.callers import Readable
from axonflow_orchestrator.questions import before, moment, position_of, text, verdicts, whole_number

MOST_ROWS = 1000
SEARCH_ROWS = 100
TENANT_ROWS = 50
MOST_OFFSET = 100_000
LONGEST_SUMMARY = timedelta(days=366)
LONGEST_HOURLY = timedelta(days=31)
SUMMARY_DAYS = 1


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What a search asks for; the body of POST search, and the query of an export and of a tenant's list.

    Attributes:
        tenant_id: one of those whose rows the caller may read.
        governed: decisions on calls alone, without changes of policies and reports of tools.
        sampled: calls alone whose answer was drawn for review.
    """

    user_email: str | None = None
    client_id: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    action: str | None = None
    request_type: str | None = None
    decision_id: str | None = None
    policy_name: str | None = None
    policy_id: str | None = None
    override_id: str | None = None
    user_id: str | None = None
    plane: str | None = None
    provider: str | None = None
    model: str | None = None
    trace_id: str | None = None
    tool_signature: str | None = None
    tenant_id: str | None = None
    governed: bool = False
    sampled: bool = False
    limit: int | None = None
    offset: int | None = None
    cursor: str | None = None


class Interval(StrEnum):
    """How wide a step of a series is, in UTC."""

    HOUR = "hour"
    DAY = "day"


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a summary.

    Attributes:
        interval: asks for the calls of each hour or day as well.
        governed: as of a search.
    """

    start_time: str | None = None
    end_time: str | None = None
    interval: Interval | None = None
    governed: bool = False


class Page(msgspec.Struct, frozen=True):
    """Which rows of a list are answered."""

    limit: int
    offset: int
    after: Position | None


def page_of(asked: Search, default: int) -> Page:
    """The page asked for; behind a cursor there is no offset.

    Raises:
        Fault: 400.
    """
    limit = whole_number(asked.limit, "limit", least=1, most=MOST_ROWS, default=default)
    if asked.cursor:
        return Page(limit, 0, position_of(asked.cursor))
    if asked.offset is not None and asked.offset > MOST_OFFSET:
        raise Fault(400, f"offset must be at most {MOST_OFFSET}: a list is read further by its next_cursor")
    return Page(limit, whole_number(asked.offset, "offset", least=0, most=MOST_OFFSET, default=0), None)


def filter_of(asked: Search, readable: Readable) -> RecordFilter:
    """The rows asked for, as far as the caller may read them.

    Raises:
        Fault: 400.
    """
    since, until = moment(asked.start_time, "start_time"), moment(asked.end_time, "end_time")
    if since is not None and until is not None and since > until:
        raise Fault(400, "start_time must not be after end_time")
    return RecordFilter(
        org_id=readable.org_id,
        tenant_id=_tenant(asked, readable),
        since=later(since, readable.since),
        until=until,
        verdicts=verdicts(asked.action, Wire.AUDIT_ENTRY, "action"),
        client=text(asked.client_id, "client_id"),
        user_email=text(asked.user_email, "user_email"),
        user_id=text(asked.user_id, "user_id"),
        request_type=text(asked.request_type, "request_type"),
        plane=text(asked.plane, "plane"),
        provider=text(asked.provider, "provider"),
        model=text(asked.model, "model"),
        decision_id=text(asked.decision_id, "decision_id"),
        trace_id=text(asked.trace_id, "trace_id"),
        policy_name=text(asked.policy_name, "policy_name"),
        policy_id=text(asked.policy_id, "policy_id"),
        override_id=text(asked.override_id, "override_id"),
        tool_signature=text(asked.tool_signature, "tool_signature"),
        governed=asked.governed,
        sampled=asked.sampled,
    )


def _tenant(asked: Search, readable: Readable) -> str | None:
    named = text(asked.tenant_id, "tenant_id") or None
    if named is not None and readable.tenant_id not in {None, named}:
        raise Fault(403, "The rows of another tenant cannot be read")
    return named or readable.tenant_id


def window_of(asked: Window, readable: Readable) -> RecordFilter:
    """The rows that a summary counts: of the last day, unless it names other times.

    Raises:
        Fault: 400.
    """
    until = moment(asked.end_time, "end_time") or datetime.now(UTC)
    since = moment(asked.start_time, "start_time") or before(until, SUMMARY_DAYS)
    if since > until or until - since > LONGEST_SUMMARY:
        raise Fault(400, "start_time must be before end_time, by one year at most")
    if asked.interval is Interval.HOUR and until - since > LONGEST_HOURLY:
        raise Fault(400, f"a series by the hour covers {LONGEST_HOURLY.days} days at most: ask for interval day")
    return RecordFilter(
        org_id=readable.org_id,
        tenant_id=readable.tenant_id,
        since=later(since, readable.since),
        until=until,
        governed=asked.governed,
    )


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two moments, where there are two."""
    if one is None or other is None:
        return one or other
    return max(one, other)
