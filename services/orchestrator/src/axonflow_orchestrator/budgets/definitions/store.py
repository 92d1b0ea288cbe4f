"""Budgets and their alerts in the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
from axonflow_database import Connection
from psycopg.rows import dict_row

from axonflow_orchestrator.budgets.definitions.records import Definition, Stored, StoredAlert

# Whoever settles a call takes this lock shared: while a budget is made and what was spent before it is added up, nobody
# adds to either.
LOCK_SPENDING = "SELECT pg_advisory_xact_lock(hashtextextended('axonflow budgets ' || %s, 0))"
COLUMNS = """
    org_id, tenant_id, id, uid::text AS uid, name, description, scope, scope_id, limit_usd, period, on_exceed,
    alert_thresholds, enabled, created_by, created_at, updated_at
"""
INSERT_BUDGET = f"""
    INSERT INTO budgets (org_id, tenant_id, id, name, description, scope, scope_id, limit_usd, period, on_exceed,
        alert_thresholds, enabled, created_by)
    VALUES (%(org_id)s, %(tenant_id)s, %(id)s, %(name)s, %(description)s, %(scope)s, %(scope_id)s, %(limit_usd)s,
        %(period)s, %(on_exceed)s, %(alert_thresholds)s, %(enabled)s, %(created_by)s)
    RETURNING {COLUMNS}
"""  # noqa: S608 - a constant of this file
# A budget that is made in the middle of its period begins with what the period has cost so far.
COUNT_WHAT_WAS_SPENT = """
    INSERT INTO budget_counters (org_id, budget_uid, period_start, spent_usd)
    SELECT b.org_id, b.uid, axonflow_period_start(b.period, now()), coalesce(sum(r.cost_usd), 0)
    FROM budgets b LEFT JOIN usage_records r
        ON r.org_id = b.org_id AND r.created_at >= axonflow_period_start(b.period, now())
        AND b.tenant_id IN ('', r.tenant_id)
        AND CASE b.scope
            WHEN 'organization' THEN true
            WHEN 'team' THEN b.scope_id = r.team_id
            WHEN 'agent' THEN b.scope_id IN (r.agent_id, r.client_id)
            WHEN 'workflow' THEN b.scope_id = r.workflow_id
            ELSE b.scope_id = r.user_id
        END
    WHERE b.org_id = %s AND b.uid = %s::uuid
    GROUP BY b.org_id, b.uid, b.period
"""
UPDATE_BUDGET = f"""
    UPDATE budgets SET name = %(name)s, description = %(description)s, limit_usd = %(limit_usd)s,
        on_exceed = %(on_exceed)s, alert_thresholds = %(alert_thresholds)s, enabled = %(enabled)s, updated_at = now()
    WHERE org_id = %(org_id)s AND uid = %(uid)s::uuid
    RETURNING {COLUMNS}
"""  # noqa: S608 - a constant of this file
DELETE_BUDGET = "DELETE FROM budgets WHERE org_id = %s AND uid = %s::uuid"
DELETE_COUNTERS = "DELETE FROM budget_counters WHERE org_id = %s AND budget_uid = %s::uuid"
DELETE_ALERTS = "DELETE FROM budget_alerts WHERE org_id = %s AND budget_uid = %s::uuid"
SELECT_BY_ID = f"""
    SELECT {COLUMNS} FROM budgets
    WHERE org_id = %(org_id)s AND id = %(id)s AND (%(tenant_id)s::text IS NULL OR tenant_id = %(tenant_id)s)
"""  # noqa: S608 - a constant of this file
SELECT_FOR_CHANGE = SELECT_BY_ID + " FOR UPDATE"
SELECT_PAGE = f"""
    SELECT {COLUMNS}, count(*) OVER () AS total FROM budgets
    WHERE org_id = %(org_id)s AND (%(tenant_id)s::text IS NULL OR tenant_id = %(tenant_id)s)
        AND (%(scope)s::text IS NULL OR scope = %(scope)s)
    ORDER BY created_at DESC, id, tenant_id LIMIT %(limit)s OFFSET %(offset)s
"""  # noqa: S608 - a constant of this file
COUNT_BUDGETS = """
    SELECT count(*) FROM budgets
    WHERE org_id = %(org_id)s AND (%(tenant_id)s::text IS NULL OR tenant_id = %(tenant_id)s)
        AND (%(scope)s::text IS NULL OR scope = %(scope)s)
"""
SELECT_COUNTER = """
    SELECT spent_usd, held_usd FROM budget_counters
    WHERE org_id = %s AND budget_uid = %s::uuid AND period_start = %s
"""
SELECT_ALERTS = """
    SELECT id::text AS id, alert_type, threshold, percentage_reached, amount_usd, limit_usd,
        acknowledged_at IS NOT NULL AS acknowledged, created_at
    FROM budget_alerts WHERE org_id = %s AND budget_uid = %s::uuid
    ORDER BY created_at DESC, alert_type, threshold DESC LIMIT %s
"""


class IdTaken(Exception):
    """There is a budget of that id."""


async def insert(connection: Connection, org_id: str, made: Definition) -> Stored:
    """Add one; its counter begins with what its period has cost so far.

    Raises:
        IdTaken: the tenant has one of that id.
    """
    await connection.execute(LOCK_SPENDING, (org_id,))
    values = {**msgspec.structs.asdict(made), "org_id": org_id, "alert_thresholds": list(made.alert_thresholds)}
    try:
        [row] = await _rows(connection, INSERT_BUDGET, values)
    except psycopg.errors.UniqueViolation as error:
        raise IdTaken from error
    stored = msgspec.convert(row, Stored)
    await connection.execute(COUNT_WHAT_WAS_SPENT, (org_id, stored.uid))
    return stored


async def update(connection: Connection, changed: Stored) -> Stored:
    """Replace what may change of one that is locked."""
    values = {**msgspec.structs.asdict(changed), "alert_thresholds": list(changed.alert_thresholds)}
    [row] = await _rows(connection, UPDATE_BUDGET, values)
    return msgspec.convert(row, Stored)


async def delete(connection: Connection, stored: Stored) -> None:
    """Remove one with its counters and alerts; usage records stay."""
    for statement in (DELETE_BUDGET, DELETE_COUNTERS, DELETE_ALERTS):
        await connection.execute(statement, (stored.org_id, stored.uid))


async def named(
    connection: Connection, org_id: str, tenant_id: str | None, budget_id: str, *, lock: bool = False
) -> list[Stored]:
    """Those of an id: one, or one a tenant for whom all tenants are asked."""
    values = {"org_id": org_id, "tenant_id": tenant_id, "id": budget_id}
    return msgspec.convert(await _rows(connection, SELECT_FOR_CHANGE if lock else SELECT_BY_ID, values), list[Stored])


async def page(
    connection: Connection, org_id: str, tenant_id: str | None, scope: str | None, *, limit: int, offset: int
) -> tuple[list[Stored], int]:
    """The newest first, and how many there are."""
    values = {"org_id": org_id, "tenant_id": tenant_id, "scope": scope, "limit": limit, "offset": offset}
    found = await _rows(connection, SELECT_PAGE, values)
    if found:
        return msgspec.convert(found, list[Stored]), int(found[0]["total"])
    row = await (await connection.execute(COUNT_BUDGETS, values)).fetchone()
    return [], int(row[0]) if row else 0


async def counter(connection: Connection, stored: Stored, period_start: datetime) -> tuple[Decimal, Decimal]:
    """What is spent and held in a period."""
    row = await (await connection.execute(SELECT_COUNTER, (stored.org_id, stored.uid, period_start))).fetchone()
    return (row[0], row[1]) if row else (Decimal(0), Decimal(0))


async def alerts(connection: Connection, stored: Stored, limit: int) -> list[StoredAlert]:
    """The newest alerts of one."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_ALERTS, (stored.org_id, stored.uid, limit))
        return msgspec.convert(await cursor.fetchall(), list[StoredAlert])


async def _rows(connection: Connection, statement: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, values)
        return await cursor.fetchall()
