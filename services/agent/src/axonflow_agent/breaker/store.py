"""Reads and writes circuits, their history and the tenants' thresholds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import msgspec
from axonflow_database import Connection
from psycopg.rows import dict_row

from axonflow_agent.breaker.records import Circuit, HistoryEntry, Overrides, Scope, Thresholds, TripReason

# A struct takes the columns it knows: a star here costs three small columns and saves each list of names.
SELECT_OPEN = "SELECT * FROM circuit_breakers WHERE state = 'open'"
SELECT_OPEN_OF_ORG = "SELECT * FROM circuit_breakers WHERE state = 'open' AND org_id = %(org_id)s"

TRIP = """
    INSERT INTO circuit_breakers AS c (org_id, scope, scope_id, state, trip_reason, tripped_by, tripped_by_email,
                                       trip_comment, tripped_at, expires_at)
    VALUES (%(org_id)s, %(scope)s, %(scope_id)s, 'open', %(reason)s, %(by)s, %(email)s, %(comment)s, now(),
            %(expires_at)s)
    ON CONFLICT (org_id, scope, scope_id) DO UPDATE SET state = 'open', trip_reason = excluded.trip_reason,
        tripped_by = excluded.tripped_by, tripped_by_email = excluded.tripped_by_email,
        trip_comment = excluded.trip_comment, tripped_at = now(), expires_at = excluded.expires_at, reset_by = NULL,
        reset_at = NULL, reset_comment = NULL, updated_at = now()
    RETURNING *
"""

RESET = """
    UPDATE circuit_breakers SET state = 'closed', reset_by = %(by)s, reset_at = now(), reset_comment = %(comment)s,
        error_count = 0, violation_count = 0, window_started_at = now(), updated_at = now()
    WHERE org_id = %(org_id)s AND scope = %(scope)s AND scope_id = %(scope_id)s AND state = 'open'
    RETURNING *
"""

# One statement, so that replicas counting at once lose nothing: a window that is over begins again at this event.
COUNT = """
    INSERT INTO circuit_breakers AS c (org_id, scope, scope_id, error_count, violation_count)
    VALUES (%(org_id)s, %(scope)s, %(scope_id)s, %(errors)s, %(violations)s)
    ON CONFLICT (org_id, scope, scope_id) DO UPDATE SET
        error_count = excluded.error_count
            + CASE WHEN c.window_started_at > now() - make_interval(secs => %(window_s)s) THEN c.error_count ELSE 0 END,
        violation_count = excluded.violation_count
            + CASE WHEN c.window_started_at > now() - make_interval(secs => %(window_s)s) THEN c.violation_count
                   ELSE 0 END,
        window_started_at = CASE WHEN c.window_started_at > now() - make_interval(secs => %(window_s)s)
                                 THEN c.window_started_at ELSE now() END,
        updated_at = now()
    RETURNING *
"""

INSERT_HISTORY = """
    INSERT INTO circuit_breaker_history (org_id, circuit_id, scope, scope_id, state, trip_reason, tripped_by,
        tripped_at, expires_at, reset_by, reset_at, comment, error_count, violation_count)
    VALUES (%(org_id)s, %(id)s, %(scope)s, %(scope_id)s, %(state)s, %(trip_reason)s, %(tripped_by)s, %(tripped_at)s,
        %(expires_at)s, %(reset_by)s, %(reset_at)s, %(comment)s, %(error_count)s, %(violation_count)s)
"""

SELECT_HISTORY = """
    SELECT id, circuit_id, org_id, scope, scope_id, state, trip_reason, tripped_by, tripped_at, expires_at, reset_by,
           reset_at, comment, error_count, violation_count, recorded_at
    FROM circuit_breaker_history WHERE org_id = %s ORDER BY recorded_at DESC, id LIMIT %s
"""

SELECT_CONFIG = """
    SELECT error_threshold, violation_threshold, window_seconds, default_timeout_seconds, max_timeout_seconds,
           enable_auto_recovery
    FROM circuit_breaker_config WHERE org_id = %s AND tenant_id = %s
"""

UPSERT_CONFIG = """
    INSERT INTO circuit_breaker_config AS c (org_id, tenant_id, error_threshold, violation_threshold, window_seconds,
        default_timeout_seconds, max_timeout_seconds, enable_auto_recovery, updated_by)
    VALUES (%(org_id)s, %(tenant_id)s, %(error_threshold)s, %(violation_threshold)s, %(window_seconds)s,
        %(default_timeout_seconds)s, %(max_timeout_seconds)s, %(enable_auto_recovery)s, %(by)s)
    ON CONFLICT (org_id, tenant_id) DO UPDATE SET error_threshold = excluded.error_threshold,
        violation_threshold = excluded.violation_threshold, window_seconds = excluded.window_seconds,
        default_timeout_seconds = excluded.default_timeout_seconds, max_timeout_seconds = excluded.max_timeout_seconds,
        enable_auto_recovery = excluded.enable_auto_recovery, updated_by = excluded.updated_by, updated_at = now()
"""


class Target(msgspec.Struct, frozen=True):
    """Which circuit is meant."""

    org_id: str
    scope: Scope
    scope_id: str


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """How a circuit is opened; ``expires_at`` None keeps it open until it is reset."""

    reason: TripReason
    by: str
    email: str | None = None
    comment: str | None = None
    expires_at: datetime | None = None


async def open_circuits(connection: Connection, org_id: str | None = None) -> list[Circuit]:
    """Circuits that stand open, those whose time is over included: an organisation's, or everybody's (platform)."""
    if org_id is None:
        return await _circuits(connection, SELECT_OPEN, {})
    return await _circuits(connection, SELECT_OPEN_OF_ORG, {"org_id": org_id})


async def trip(connection: Connection, target: Target, how: Trip) -> Circuit:
    """Open a circuit and write it into the history."""
    values = {**msgspec.structs.asdict(target), **msgspec.structs.asdict(how)}
    [circuit] = await _circuits(connection, TRIP, values)
    await _remember(connection, circuit, how.comment)
    return circuit


async def reset(connection: Connection, target: Target, *, by: str, comment: str | None) -> Circuit | None:
    """Close a circuit and write it into the history; None when it was not open."""
    found = await _circuits(connection, RESET, {**msgspec.structs.asdict(target), "by": by, "comment": comment})
    if not found:
        return None
    await _remember(connection, found[0], comment)
    return found[0]


async def count(
    connection: Connection, target: Target, thresholds: Thresholds, *, errors: int = 0, violations: int = 0
) -> Circuit:
    """Add to a circuit's window, and return it as it stands then."""
    values = {
        **msgspec.structs.asdict(target),
        "window_s": thresholds.window_seconds,
        "errors": errors,
        "violations": violations,
    }
    [circuit] = await _circuits(connection, COUNT, values)
    return circuit


async def read_history(connection: Connection, org_id: str, limit: int) -> list[HistoryEntry]:
    """An organisation's openings and closings, newest first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_HISTORY, (org_id, limit))
        return [msgspec.convert(row, HistoryEntry, builtin_types=(UUID, datetime)) async for row in cursor]


async def read_config(connection: Connection, org_id: str, tenant_id: str) -> Overrides | None:
    """What a tenant set for itself, if anything."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_CONFIG, (org_id, tenant_id))
        row = await cursor.fetchone()
    return None if row is None else msgspec.convert(row, Overrides)


async def write_config(connection: Connection, org_id: str, tenant_id: str, overrides: Overrides, by: str) -> None:
    """Put a tenant's thresholds in place of what it had."""
    values = {"org_id": org_id, "tenant_id": tenant_id, "by": by, **msgspec.structs.asdict(overrides)}
    await connection.execute(UPSERT_CONFIG, values)


async def _circuits(connection: Connection, statement: LiteralString, values: dict[str, Any]) -> list[Circuit]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, values)
        return [msgspec.convert(row, Circuit, builtin_types=(UUID, datetime)) async for row in cursor]


async def _remember(connection: Connection, circuit: Circuit, comment: str | None) -> None:
    await connection.execute(INSERT_HISTORY, {**msgspec.structs.asdict(circuit), "comment": comment})
