"""Reads and writes ``policy_overrides``; rows are ended and never deleted, so who overrode what stays known."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString
from uuid import UUID

import msgspec
from axonflow_contracts.verdicts import Action
from axonflow_database import Connection
from psycopg.rows import dict_row

from axonflow_agent.overrides.records import ActiveOverride

COLUMNS: LiteralString = """
    SELECT o.id, o.org_id, o.tenant_id, o.policy_id, o.action_override, o.enabled_override, o.override_reason,
           o.expires_at, o.created_by, o.created_at, p.action AS stored_action
"""

HOLDING: LiteralString = (
    COLUMNS
    + """
    FROM policy_overrides o
    JOIN static_policies p ON p.org_id = '@system' AND p.policy_id = o.policy_id AND p.deleted_at IS NULL
    WHERE o.org_id = %(org_id)s AND (o.tenant_id IS NULL OR o.tenant_id = %(tenant_id)s)
      AND o.ended_at IS NULL AND (o.expires_at IS NULL OR o.expires_at > now())
    ORDER BY o.created_at DESC, o.id
"""
)

EXPIRED: LiteralString = """
    SELECT id, org_id, tenant_id, policy_id, override_reason, expires_at, created_by
    FROM policy_overrides WHERE ended_at IS NULL AND expires_at <= now()
"""
EXPIRED_OF_POLICY: LiteralString = EXPIRED + "AND org_id = %(org_id)s AND policy_id = %(policy_id)s"

END_EXPIRED = """
    UPDATE policy_overrides SET ended_at = expires_at, ended_by = 'expiry'
    WHERE org_id = %(org_id)s AND id = %(id)s AND ended_at IS NULL AND expires_at <= now()
"""

INSERT: LiteralString = (
    """
    WITH o AS (
        INSERT INTO policy_overrides (org_id, tenant_id, policy_id, action_override, enabled_override,
                                      override_reason, expires_at, created_by)
        VALUES (%(org_id)s, %(tenant_id)s, %(policy_id)s, %(action_override)s, %(enabled_override)s,
                %(override_reason)s, %(expires_at)s, %(created_by)s)
        ON CONFLICT DO NOTHING
        RETURNING *
    )
"""  # noqa: S608 - constants; values go apart
    + COLUMNS
    + """
    FROM o JOIN static_policies p ON p.org_id = '@system' AND p.policy_id = o.policy_id AND p.deleted_at IS NULL
"""
)

END = """
    UPDATE policy_overrides SET ended_at = now(), ended_by = %(ended_by)s
    WHERE org_id = %(org_id)s AND id = %(id)s AND ended_at IS NULL
"""


class NewOverride(msgspec.Struct, frozen=True, kw_only=True):
    """An override to be written; fields are columns."""

    org_id: str
    tenant_id: str | None
    policy_id: str
    action_override: Action | None
    enabled_override: bool | None
    override_reason: str
    expires_at: datetime | None
    created_by: str


class ExpiredOverride(msgspec.Struct, frozen=True, kw_only=True):
    """An override whose time has run out and whose end is not written down yet."""

    id: UUID
    org_id: str
    tenant_id: str | None
    policy_id: str
    override_reason: str
    expires_at: datetime
    created_by: str


async def read_expired(
    connection: Connection, *, org_id: str | None = None, policy_id: str = ""
) -> list[ExpiredOverride]:
    """Overrides to be ended: of one policy of an organisation, or of everybody (as the platform role)."""
    statement = EXPIRED if org_id is None else EXPIRED_OF_POLICY
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, {"org_id": org_id, "policy_id": policy_id})
        return [msgspec.convert(row, ExpiredOverride, builtin_types=(UUID, datetime)) async for row in cursor]


async def end_expired(connection: Connection, override: ExpiredOverride) -> None:
    """Write down that an override ran out; no harm if another replica has."""
    await connection.execute(END_EXPIRED, {"org_id": override.org_id, "id": override.id})


async def read_holding(connection: Connection, *, org_id: str, tenant_id: str) -> list[ActiveOverride]:
    """The overrides that hold for a tenant now, its organisation's included, newest first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(HOLDING, {"org_id": org_id, "tenant_id": tenant_id})
        return [msgspec.convert(row, ActiveOverride, builtin_types=(UUID, datetime)) async for row in cursor]


async def insert(connection: Connection, new: NewOverride) -> ActiveOverride | None:
    """Write an override; None when its scope has one already."""
    values = msgspec.structs.asdict(new)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(INSERT, values)
        row = await cursor.fetchone()
    return None if row is None else msgspec.convert(row, ActiveOverride, builtin_types=(UUID, datetime))


async def end(connection: Connection, row: ActiveOverride, ended_by: str) -> bool:
    """End an override; False when somebody else has."""
    values = {"org_id": row.org_id, "id": row.id, "ended_by": ended_by}
    return (await connection.execute(END, values)).rowcount == 1
