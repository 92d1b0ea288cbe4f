"""Every row that belongs to one trace, from all tables of the record, in order."""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg.rows import dict_row

from axonflow_audit.chains import steps_of
from axonflow_audit.rows import (
    AUDIT_LOGS,
    DECISION_CHAIN,
    GATEWAY_CONTEXTS,
    LLM_CALL_AUDITS,
    MCP_QUERY_AUDITS,
    AuditRow,
    DecisionChainRow,
    DetailRow,
    GatewayContextRow,
    LlmCallRow,
    McpQueryRow,
)
from axonflow_audit.search import Connection

DECISIONS_OF_TRACE: LiteralString = """
    SELECT * FROM audit_logs
    WHERE org_id = %(org_id)s AND trace_id = %(trace_id)s AND (%(tenant_id)s::text IS NULL OR tenant_id = %(tenant_id)s)
        AND created_at >= %(since)s
    ORDER BY created_at, id LIMIT %(limit)s
"""
CALLS_OF_DECISIONS: LiteralString = """
    SELECT * FROM llm_call_audits
    WHERE org_id = %(org_id)s AND (id = ANY(%(ids)s) OR context_id = ANY(%(ids)s))
        AND (%(tenant_id)s::text IS NULL OR tenant_id = %(tenant_id)s) AND created_at >= %(since)s
    ORDER BY created_at, id LIMIT %(limit)s
"""
CONTEXTS_OF_DECISIONS: LiteralString = """
    SELECT * FROM gateway_contexts
    WHERE org_id = %(org_id)s AND id = ANY(%(ids)s) AND (%(tenant_id)s::text IS NULL OR tenant_id = %(tenant_id)s)
        AND created_at >= %(since)s
    ORDER BY created_at, id LIMIT %(limit)s
"""
QUERIES_OF_DECISIONS: LiteralString = """
    SELECT * FROM mcp_query_audits
    WHERE org_id = %(org_id)s AND id = ANY(%(ids)s) AND (%(tenant_id)s::text IS NULL OR tenant_id = %(tenant_id)s)
        AND created_at >= %(since)s
    ORDER BY created_at, id LIMIT %(limit)s
"""


class TraceRow(msgspec.Struct, frozen=True):
    """A row and the table that it stands in."""

    source: str
    row: AuditRow | DetailRow


async def rows_of_trace(connection: Connection, params: dict[str, Any]) -> list[TraceRow]:
    """The rows of a trace, oldest first, a decision before its details.

    Args:
        connection: a tenant's transaction.
        params: ``org_id``, ``tenant_id`` (None for every tenant), ``trace_id``, ``since`` and ``limit``, which holds
            for each table.
    """
    decisions = await decisions_of_trace(connection, params)
    if not decisions:
        return []
    found = [TraceRow(AUDIT_LOGS, row) for row in decisions]
    ids = {**params, "ids": [row.id for row in decisions] + _reported(decisions)}
    calls = await _read(connection, CALLS_OF_DECISIONS, ids)
    contexts = await _read(connection, CONTEXTS_OF_DECISIONS, ids)
    queries = await _read(connection, QUERIES_OF_DECISIONS, ids)
    found += [TraceRow(LLM_CALL_AUDITS, msgspec.convert(row, LlmCallRow)) for row in calls]
    found += [TraceRow(GATEWAY_CONTEXTS, msgspec.convert(row, GatewayContextRow)) for row in contexts]
    found += [TraceRow(MCP_QUERY_AUDITS, msgspec.convert(row, McpQueryRow)) for row in queries]
    steps = await steps_of(connection, decisions, limit=params["limit"])
    found += [TraceRow(DECISION_CHAIN, row) for row in steps]
    return sorted(found, key=_place)


async def decisions_of_trace(connection: Connection, params: dict[str, Any]) -> list[AuditRow]:
    """The decisions of a trace, oldest first; ``params`` as for `rows_of_trace`."""
    return [msgspec.convert(row, AuditRow) for row in await _read(connection, DECISIONS_OF_TRACE, params)]


def _place(found: TraceRow) -> tuple[datetime, bool, str, str, int]:
    row = found.row
    key, step = (row.decision_id, row.step_number) if isinstance(row, DecisionChainRow) else (row.id, 0)
    return row.created_at, found.source != AUDIT_LOGS, found.source, key, step


def _reported(decisions: list[AuditRow]) -> list[str]:
    """Ids of calls that clients reported later (Gateway Mode): the report's decision names its call."""
    named = (row.metadata.get("audit_id") for row in decisions)
    return [audit_id for audit_id in named if isinstance(audit_id, str)]


async def _read(connection: Connection, statement: LiteralString, params: dict[str, Any]) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, params)
        return await cursor.fetchall()
