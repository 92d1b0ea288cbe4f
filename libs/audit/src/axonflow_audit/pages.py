"""The record in pages, counts and sums, in a tenant's transaction; rows come newest first.

A page is found by its place in the index and not by counting rows before it, so a long list can be read to its end
in many short transactions.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, LiteralString

import msgspec
import psycopg
from psycopg.rows import dict_row

from axonflow_audit.filters import Position, RecordFilter, where_of
from axonflow_audit.rows import AuditRow
from axonflow_audit.search import Connection

SELECT: LiteralString = "SELECT * FROM audit_logs WHERE "
NEWEST_FIRST: LiteralString = " ORDER BY created_at DESC, id DESC LIMIT %(limit)s OFFSET %(offset)s"
COUNT: LiteralString = "SELECT count(*) FROM audit_logs WHERE "
TIME_BUDGET = "SELECT set_config('statement_timeout', %s, true)"
# A row of folded refusals stands for many calls.
SUMMARY: LiteralString = """
    SELECT verdict, coalesce(matched_policies->0->>'severity', 'none') AS severity, sum(folded_count) AS calls,
        sum(latency_ms) AS latency_ms, count(latency_ms) AS timed
    FROM audit_logs WHERE """
SUMMARY_GROUPS: LiteralString = " GROUP BY 1, 2"
TOP_POLICIES: LiteralString = """
    SELECT m.policy_id, max(m.name), count(*)
    FROM audit_logs, LATERAL (
        SELECT DISTINCT x.policy_id, x.name FROM jsonb_to_recordset(matched_policies) AS x(policy_id text, name text)
    ) m WHERE matched_policies <> '[]'::jsonb AND """
TOP_POLICIES_GROUPS: LiteralString = " GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT %(most)s"
CALLS_BY_STEP: LiteralString = """
    SELECT date_trunc(%(step)s, created_at, 'UTC'), verdict, sum(folded_count)
    FROM audit_logs WHERE """
CALLS_BY_STEP_GROUPS: LiteralString = " GROUP BY 1, 2 ORDER BY 1, 2"
HIT_COUNT: LiteralString = "SELECT count(*) FROM (SELECT FROM audit_logs WHERE "
HIT_COUNT_END: LiteralString = " LIMIT %(most)s) hits"


class SummaryGroup(msgspec.Struct, frozen=True):
    """Calls of one verdict and severity; ``latency_ms`` is the sum over the ``timed`` rows that tell it."""

    verdict: str
    severity: str
    calls: int
    latency_ms: float | None
    timed: int


class PolicyCount(msgspec.Struct, frozen=True):
    """How many rows a policy matched in."""

    policy_id: str
    policy_name: str
    count: int


class StepCount(msgspec.Struct, frozen=True):
    """Calls of one verdict in the hour or day that begins at ``start``."""

    start: datetime
    verdict: str
    calls: int


async def read_page(
    connection: Connection, wanted: RecordFilter, *, limit: int, offset: int = 0, after: Position | None = None
) -> list[AuditRow]:
    """At most ``limit`` rows, behind ``after`` and then ``offset`` further."""
    where, params = where_of(wanted, after)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT + where + NEWEST_FIRST, {**params, "limit": limit, "offset": offset})
        return [msgspec.convert(row, AuditRow) for row in await cursor.fetchall()]


async def count_rows(connection: Connection, wanted: RecordFilter, *, budget_ms: int) -> int | None:
    """How many rows there are, or None if counting them takes longer than ``budget_ms``."""
    where, params = where_of(wanted)
    try:
        async with connection.transaction():
            await connection.execute(TIME_BUDGET, (str(budget_ms),))
            row = await (await connection.execute(COUNT + where, params)).fetchone()
    except psycopg.errors.QueryCanceled:
        return None
    return int(row[0]) if row else 0


async def count_hits(connection: Connection, wanted: RecordFilter, *, most: int) -> int:
    """How many rows there are, counted up to ``most``."""
    where, params = where_of(wanted)
    row = await (await connection.execute(HIT_COUNT + where + HIT_COUNT_END, {**params, "most": most})).fetchone()
    return int(row[0]) if row else 0


async def summary_groups(connection: Connection, wanted: RecordFilter) -> list[SummaryGroup]:
    """All calls by verdict and by the severity of what decided."""
    where, params = where_of(wanted)
    cursor = await connection.execute(SUMMARY + where + SUMMARY_GROUPS, params)
    return [
        SummaryGroup(verdict, severity, int(calls), latency_ms, timed)
        for verdict, severity, calls, latency_ms, timed in await cursor.fetchall()
    ]


async def calls_by_step(connection: Connection, wanted: RecordFilter, step: str) -> list[StepCount]:
    """All calls by verdict and by ``step``, which is ``hour`` or ``day`` in UTC; oldest first."""
    where, params = where_of(wanted)
    cursor = await connection.execute(CALLS_BY_STEP + where + CALLS_BY_STEP_GROUPS, {**params, "step": step})
    return [StepCount(start.astimezone(UTC), verdict, int(calls)) for start, verdict, calls in await cursor.fetchall()]


async def top_policies(connection: Connection, wanted: RecordFilter, *, most: int) -> list[PolicyCount]:
    """The policies that matched in most rows."""
    where, params = where_of(wanted)
    cursor = await connection.execute(TOP_POLICIES + where + TOP_POLICIES_GROUPS, {**params, "most": most})
    return [PolicyCount(*row) for row in await cursor.fetchall()]


async def read_entry(connection: Connection, wanted: RecordFilter, entry_id: str) -> AuditRow | None:
    """The row with this id; for a decision of several phases its id gives the first of them."""
    for condition in (BY_DECISION, BY_OWN_ID):
        where, params = where_of(wanted)
        async with connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(SELECT + where + condition, {**params, "entry_id": entry_id})
            rows: list[dict[str, Any]] = await cursor.fetchall()
        if rows:
            return msgspec.convert(rows[0], AuditRow)
    return None


BY_DECISION: LiteralString = " AND decision_id = %(entry_id)s ORDER BY id <> decision_id, created_at, id LIMIT 1"
BY_OWN_ID: LiteralString = " AND id = %(entry_id)s AND id <> decision_id ORDER BY created_at LIMIT 1"
