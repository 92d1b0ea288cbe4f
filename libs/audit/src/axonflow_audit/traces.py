"""Every row that belongs to one trace, from all tables of the record, in order."""

from __future__ import annotations

from typing import Any, LiteralString

import msgspec
from psycopg.rows import dict_row

from axonflow_audit.rows import (
    AUDIT_LOGS,
    GATEWAY_CONTEXTS,
    LLM_CALL_AUDITS,
    MCP_QUERY_AUDITS,
    AuditRow,
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
    found: list[TraceRow] = [
        TraceRow(AUDIT_LOGS, msgspec.convert(row, AuditRow))
        for row in await _read(connection, DECISIONS_OF_TRACE, params)
    ]
    if not found:
        return []
    ids = {**params, "ids": [each.row.id for each in found] + _reported(found)}
    calls = await _read(connection, CALLS_OF_DECISIONS, ids)
    contexts = await _read(connection, CONTEXTS_OF_DECISIONS, ids)
    queries = await _read(connection, QUERIES_OF_DECISIONS, ids)
    found += [TraceRow(LLM_CALL_AUDITS, msgspec.convert(row, LlmCallRow)) for row in calls]
    found += [TraceRow(GATEWAY_CONTEXTS, msgspec.convert(row, GatewayContextRow)) for row in contexts]
    found += [TraceRow(MCP_QUERY_AUDITS, msgspec.convert(row, McpQueryRow)) for row in queries]
    return sorted(found, key=lambda each: (each.row.created_at, each.source != AUDIT_LOGS, each.source, each.row.id))


def _reported(found: list[TraceRow]) -> list[str]:
    """Ids of calls that clients reported later (Gateway Mode): the report's decision names its call."""
    named = (each.row.metadata.get("audit_id") for each in found if isinstance(each.row, AuditRow))
    return [audit_id for audit_id in named if isinstance(audit_id, str)]


async def _read(connection: Connection, statement: LiteralString, params: dict[str, Any]) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, params)
        return await cursor.fetchall()
