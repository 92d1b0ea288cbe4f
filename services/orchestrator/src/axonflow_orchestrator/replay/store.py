"""Sealed inputs and recording settings in PostgreSQL, in a tenant's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from axonflow_audit import AuditRow
from axonflow_contracts.recording import InputMode
from axonflow_database import Connection

# The bounds let PostgreSQL leave out the partitions of other months.
SELECT_INPUTS = """
SELECT s.created_at, s.id, s.sealed, s.omitted
FROM unnest(%(moments)s::timestamptz[], %(ids)s::text[]) AS k (created_at, id)
JOIN sealed_inputs s ON s.org_id = %(org_id)s AND s.created_at = k.created_at AND s.id = k.id
WHERE s.created_at BETWEEN %(first)s AND %(last)s
"""

SELECT_STATE = """
SELECT omitted FROM sealed_inputs WHERE org_id = %(org_id)s AND created_at = %(created_at)s AND id = %(id)s
"""

SELECT_MODES = "SELECT tenant_id, mode, changed_by, changed_at FROM recording_settings WHERE org_id = %s"

UPSERT_MODE = """
INSERT INTO recording_settings AS r (org_id, tenant_id, mode, changed_by)
VALUES (%(org_id)s, %(tenant_id)s, %(mode)s, %(changed_by)s)
ON CONFLICT (org_id, tenant_id) DO UPDATE SET
    mode = excluded.mode, changed_by = excluded.changed_by, changed_at = now()
RETURNING changed_at
"""

Key = tuple[datetime, str]


class StoredInput(NamedTuple):
    """A sealed input, or why there is none."""

    sealed: bytes | None
    omitted: str | None


class StoredMode(NamedTuple):
    """What somebody asked for."""

    mode: InputMode
    changed_by: str
    changed_at: datetime


async def read_inputs(connection: Connection, org_id: str, rows: Sequence[AuditRow]) -> dict[Key, StoredInput]:
    """The inputs of these rows of one organisation, by their moment and id; rows without one are left out."""
    if not rows:
        return {}
    moments = [row.created_at for row in rows]
    params = {
        "org_id": org_id,
        "moments": moments,
        "ids": [row.id for row in rows],
        "first": min(moments),
        "last": max(moments),
    }
    cursor = await connection.execute(SELECT_INPUTS, params)
    return {
        (created_at, row_id): StoredInput(None if sealed is None else bytes(sealed), omitted)
        for created_at, row_id, sealed, omitted in await cursor.fetchall()
    }


async def input_state(connection: Connection, row: AuditRow) -> str | None:
    """Empty where the row's input is kept, why it was omitted, or None where none was asked for."""
    params = {"org_id": row.org_id, "created_at": row.created_at, "id": row.id}
    found = await (await connection.execute(SELECT_STATE, params)).fetchone()
    return None if found is None else found[0] or ""


async def read_modes(connection: Connection, org_id: str) -> dict[str, StoredMode]:
    """What was asked for in an organisation, by tenant; the empty one stands for the organisation."""
    cursor = await connection.execute(SELECT_MODES, (org_id,))
    return {
        tenant_id: StoredMode(InputMode(mode), changed_by, changed_at)
        for tenant_id, mode, changed_by, changed_at in await cursor.fetchall()
    }


async def write_mode(connection: Connection, org_id: str, tenant_id: str, mode: InputMode, changed_by: str) -> datetime:
    """Ask for a mode; gives when."""
    params = {"org_id": org_id, "tenant_id": tenant_id, "mode": mode.value, "changed_by": changed_by}
    row = await (await connection.execute(UPSERT_MODE, params)).fetchone()
    assert row is not None  # noqa: S101 - an upsert always returns its row
    moment: datetime = row[0]
    return moment
