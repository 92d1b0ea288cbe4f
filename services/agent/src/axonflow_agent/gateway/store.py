"""Reads of ``gateway_contexts`` and of the calls reported under them; the audit log alone writes either.

Both tables are partitioned by time, and a reported call stands at the moment of its context, so every read names a
range of time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from axonflow_database import Connection
from psycopg.rows import dict_row

VALIDITY = timedelta(minutes=5)
# Clocks of replicas differ, and a report of a call that took long is stamped late.
SLACK = timedelta(minutes=2)

# A proxied call is a context too (rulings §8): its request id is its decision id.
FIND_CONTEXT = """
    SELECT c.*, EXISTS (
        SELECT FROM llm_call_audits l
        WHERE l.context_id = %(id)s AND l.created_at >= c.created_at AND l.created_at <= c.expires_at + %(slack)s
          AND l.id = %(audit_id)s) AS reported
    FROM (
        SELECT id, created_at, tenant_id, client_id, approved, expires_at
        FROM gateway_contexts WHERE id = %(id)s AND created_at > %(since)s
        UNION ALL
        SELECT decision_id, created_at, tenant_id, client_id, verdict IN ('allowed', 'redacted'),
               created_at + %(validity)s
        FROM audit_logs WHERE decision_id = %(id)s AND plane = 'llm' AND created_at > %(since)s
    ) c
    ORDER BY c.created_at
    LIMIT 1
"""

CONTEXTS = """
    WITH contexts AS (
        SELECT c.client_id, date_trunc('hour', c.created_at, 'UTC') AS hour, c.approved,
            c.expires_at <= %(now)s AS closed,
            EXISTS (
                SELECT FROM llm_call_audits l
                WHERE l.context_id = c.id AND l.client_id = c.client_id
                  AND l.created_at >= c.created_at AND l.created_at <= c.expires_at + %(slack)s
                  AND l.created_at >= %(since)s AND l.created_at < %(until)s + %(validity)s + %(slack)s) AS reported
        FROM gateway_contexts c
        WHERE (%(tenant_id)s::text IS NULL OR c.tenant_id = %(tenant_id)s)
          AND c.created_at >= %(since)s AND c.created_at < %(until)s
          AND (%(client_id)s = '' OR c.client_id = %(client_id)s)
    ), hours AS (
        SELECT client_id, hour,
            count(*) FILTER (WHERE approved) AS approved,
            count(*) FILTER (WHERE approved AND reported) AS audited,
            count(*) FILTER (WHERE approved AND NOT reported AND closed) AS unaudited,
            count(*) FILTER (WHERE approved AND NOT reported AND NOT closed) AS open,
            count(*) FILTER (WHERE NOT approved) AS denied,
            count(*) FILTER (WHERE NOT approved AND reported) AS called_despite_denial
        FROM contexts GROUP BY client_id, hour
    )
"""
TOTALS = f"""{CONTEXTS}
    SELECT coalesce(sum(approved), 0)::bigint AS approved, coalesce(sum(audited), 0)::bigint AS audited,
        coalesce(sum(unaudited), 0)::bigint AS unaudited, coalesce(sum(open), 0)::bigint AS open,
        coalesce(sum(denied), 0)::bigint AS denied,
        coalesce(sum(called_despite_denial), 0)::bigint AS called_despite_denial,
        count(*) FILTER (WHERE unaudited + called_despite_denial > 0) AS rows
    FROM hours
"""  # noqa: S608 - constants; values go apart
GAPS = f"""{CONTEXTS}
    SELECT * FROM hours WHERE unaudited + called_despite_denial > 0
    ORDER BY hour DESC, client_id LIMIT %(limit)s OFFSET %(offset)s
"""  # noqa: S608 - constants; values go apart
# Reports that were taken while PostgreSQL was away: their contexts are looked for when somebody asks.
UNKNOWN_CONTEXTS = """
    SELECT count(*) FROM llm_call_audits l
    WHERE (%(tenant_id)s::text IS NULL OR l.tenant_id = %(tenant_id)s)
      AND l.created_at >= %(since)s AND l.created_at < %(until)s
      AND (%(client_id)s = '' OR l.client_id = %(client_id)s) AND l.metadata ->> 'context' = 'unverified'
      AND NOT EXISTS (
        SELECT FROM gateway_contexts c
        WHERE c.id = l.context_id AND c.client_id = l.client_id
          AND c.created_at > l.created_at - %(validity)s - %(slack)s AND c.created_at <= l.created_at + %(slack)s)
"""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that a client may report a model call under.

    Attributes:
        reported: whether this very report has been taken before.
    """

    id: str
    created_at: datetime
    tenant_id: str
    client_id: str
    approved: bool
    expires_at: datetime
    reported: bool


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Pre-checks of one client in one hour, or of all of them.

    Attributes:
        audited: approved, and at least one call reported.
        unaudited: approved, out of time, and no call reported: the gap.
        open: approved and still waiting for a report.
        called_despite_denial: denied, and a call reported all the same.
    """

    approved: int
    audited: int
    unaudited: int
    open: int
    denied: int
    called_despite_denial: int


class Gap(Counts, frozen=True, kw_only=True):
    """An hour of a client in which something is missing."""

    client_id: str
    hour: datetime


class GapQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What a report covers; ``client_id`` is empty for all clients, ``tenant_id`` None for all of an organisation."""

    tenant_id: str | None
    client_id: str
    since: datetime
    until: datetime
    limit: int
    offset: int


async def find_context(connection: Connection, context_id: str, audit_id: str, now: datetime) -> Context | None:
    """The context of that id in the organisation, valid or not long over."""
    params = {
        "id": context_id,
        "audit_id": audit_id,
        "since": now - VALIDITY - SLACK,
        "validity": VALIDITY,
        "slack": SLACK,
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(FIND_CONTEXT, params)
        row = await cursor.fetchone()
    return None if row is None else msgspec.convert(row, Context)


async def read_gaps(connection: Connection, query: GapQuery, now: datetime) -> tuple[Counts, list[Gap], int, int]:
    """Counts over everything asked for, a page of gaps, the number of gaps, and that of reports of unknown contexts."""
    params: dict[str, Any] = {
        **msgspec.structs.asdict(query),
        "now": now,
        "validity": VALIDITY,
        "slack": SLACK,
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(TOTALS, params)
        totals = await cursor.fetchone() or {}
        await cursor.execute(GAPS, params)
        gaps = msgspec.convert(await cursor.fetchall(), list[Gap])
        await cursor.execute(UNKNOWN_CONTEXTS, params)
        unknown = await cursor.fetchone() or {}
    return msgspec.convert(totals, Counts), gaps, int(totals.get("rows", 0)), int(unknown.get("count", 0))
