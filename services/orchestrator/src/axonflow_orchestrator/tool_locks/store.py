"""Locks in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from axonflow_database import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from axonflow_orchestrator.tool_locks.records import Lock

SELECT_LOCKS = """
    SELECT tool, state, access, accepted, accepted_hash, offered, offered_hash, flags, present, decided_by, decided_at,
        decided_reason, first_seen_at, changed_at
    FROM mcp_tool_locks WHERE org_id = %s AND connector_id = %s ORDER BY tool
"""
LOCK_CONNECTOR = "SELECT options FROM connectors WHERE org_id = %s AND id = %s AND type = 'mcp' FOR UPDATE"
KEEP_LOCK = """
    INSERT INTO mcp_tool_locks (org_id, connector_id, tool, state, access, accepted, accepted_hash, offered,
        offered_hash, flags, present, decided_by, decided_at, decided_reason)
    VALUES (%(org_id)s, %(connector_id)s, %(tool)s, %(state)s, %(access)s, %(accepted)s, %(accepted_hash)s,
        %(offered)s, %(offered_hash)s, %(flags)s, %(present)s, %(decided_by)s, %(decided_at)s, %(decided_reason)s)
    ON CONFLICT (org_id, connector_id, tool) DO UPDATE SET state = excluded.state, access = excluded.access,
        accepted = excluded.accepted, accepted_hash = excluded.accepted_hash, offered = excluded.offered,
        offered_hash = excluded.offered_hash, flags = excluded.flags, present = excluded.present,
        decided_by = excluded.decided_by, decided_at = excluded.decided_at,
        decided_reason = excluded.decided_reason, changed_at = now()
"""


async def options_locked(connection: Connection, org_id: str, connector_id: str) -> Mapping[str, Any] | None:
    """The options of an mcp connector, or None without it; nobody else changes its locks until the transaction ends."""
    row = await (await connection.execute(LOCK_CONNECTOR, (org_id, connector_id))).fetchone()
    return None if row is None else dict(row[0])


async def read(connection: Connection, org_id: str, connector_id: str) -> dict[str, Lock]:
    """The locks of one connector, by tool."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_LOCKS, (org_id, connector_id))
        return {lock.tool: lock for lock in msgspec.convert(await cursor.fetchall(), list[Lock])}


async def keep(connection: Connection, org_id: str, connector_id: str, lock: Lock) -> None:
    """Add or replace one."""
    values = {
        **msgspec.structs.asdict(lock),
        "org_id": org_id,
        "connector_id": connector_id,
        "accepted": None if lock.accepted is None else Jsonb(lock.accepted),
        "offered": Jsonb(lock.offered),
        "flags": Jsonb(msgspec.to_builtins(lock.flags)),
    }
    await connection.execute(KEEP_LOCK, values)
