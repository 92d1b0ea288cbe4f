"""Small reads of the record, in a tenant's transaction (``Database.tenant``); row security decides what is seen."""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from axonflow_audit.rows import AuditRow, LlmCallRow

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

SELECT_DECISION = "SELECT * FROM audit_logs WHERE decision_id = %s ORDER BY created_at, id"
SELECT_LLM_CALLS = "SELECT * FROM llm_call_audits WHERE id = %s ORDER BY created_at"
COUNT_DECISIONS = "SELECT count(*), coalesce(sum(folded_count), 0) FROM audit_logs"


async def decision_rows(connection: Connection, decision_id: str) -> list[AuditRow]:
    """The rows of one decision, oldest first; more than one for later phases of the same decision."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_DECISION, (decision_id,))
        return [msgspec.convert(row, AuditRow) for row in await cursor.fetchall()]


async def llm_call_rows(connection: Connection, audit_id: str) -> list[LlmCallRow]:
    """The model calls recorded under an audit id, which is the decision id."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_LLM_CALLS, (audit_id,))
        return [msgspec.convert(row, LlmCallRow) for row in await cursor.fetchall()]


async def count_calls(connection: Connection) -> tuple[int, int]:
    """How many rows the organisation has, and how many calls they stand for."""
    row = await (await connection.execute(COUNT_DECISIONS)).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)
