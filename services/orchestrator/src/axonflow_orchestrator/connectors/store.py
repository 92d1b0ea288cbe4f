"""Installed connectors in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import psycopg
from axonflow_database import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from axonflow_orchestrator.connectors.records import Installed

SELECT_CONNECTORS = """
    SELECT c.org_id, c.tenant_id, c.name, c.id::text AS id, c.type, c.options, c.credentials, c.credential_names,
        c.version, c.installed_by, c.installed_at, c.updated_at, h.healthy, h.checked_at
    FROM connectors c LEFT JOIN connector_health h ON h.org_id = c.org_id AND h.connector_id = c.id
    WHERE c.org_id = %(org_id)s AND (%(tenant_id)s::text IS NULL OR c.tenant_id = %(tenant_id)s)
    ORDER BY c.name, c.tenant_id
"""
LOCK_ORGANISATION = "SELECT pg_advisory_xact_lock(hashtextextended('axonflow connectors ' || %s, 0))"
COUNT_CONNECTORS = "SELECT count(*) FROM connectors WHERE org_id = %s"
INSERT_CONNECTOR = """
    INSERT INTO connectors (org_id, tenant_id, name, id, type, options, credentials, credential_names, installed_by)
    VALUES (%(org_id)s, %(tenant_id)s, %(name)s, %(id)s, %(type)s, %(options)s, %(credentials)s,
        %(credential_names)s, %(installed_by)s)
"""
UPDATE_CONNECTOR = """
    UPDATE connectors SET options = %(options)s, credentials = %(credentials)s,
        credential_names = %(credential_names)s, version = version + 1, updated_at = now()
    WHERE org_id = %(org_id)s AND id = %(id)s AND version = %(version)s
"""
DELETE_CONNECTOR = "DELETE FROM connectors WHERE org_id = %s AND id = %s"
DELETE_HEALTH = "DELETE FROM connector_health WHERE org_id = %s AND connector_id = %s"
KEEP_HEALTH = """
    INSERT INTO connector_health (org_id, connector_id, healthy, latency_ms, error)
    SELECT org_id, id, %(healthy)s, %(latency_ms)s, %(error)s FROM connectors WHERE org_id = %(org_id)s AND id = %(id)s
    ON CONFLICT (org_id, connector_id) DO UPDATE SET healthy = excluded.healthy, latency_ms = excluded.latency_ms,
        error = excluded.error, checked_at = now()
"""


class NameTaken(Exception):
    """The tenant has a connector of that name."""


async def read_all(connection: Connection, org_id: str, tenant_id: str | None) -> list[Installed]:
    """The connectors of one tenant, or of the whole organisation."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_CONNECTORS, {"org_id": org_id, "tenant_id": tenant_id})
        return msgspec.convert(await cursor.fetchall(), list[Installed])


async def count_locked(connection: Connection, org_id: str) -> int:
    """How many the organisation has; nobody adds one before this transaction ends."""
    await connection.execute(LOCK_ORGANISATION, (org_id,))
    row = await (await connection.execute(COUNT_CONNECTORS, (org_id,))).fetchone()
    return int(row[0]) if row else 0


async def insert(connection: Connection, values: Mapping[str, Any]) -> None:
    """Add one.

    Raises:
        NameTaken: the tenant has one of that name.
    """
    try:
        await connection.execute(INSERT_CONNECTOR, {**values, "options": Jsonb(values["options"])})
    except psycopg.errors.UniqueViolation as error:
        raise NameTaken from error


async def update(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Replace options and credentials; False when it was changed or removed since it was read."""
    done = await connection.execute(UPDATE_CONNECTOR, {**values, "options": Jsonb(values["options"])})
    return done.rowcount == 1


async def delete(connection: Connection, org_id: str, connector_id: str) -> None:
    """Remove one and what is known of its health."""
    await connection.execute(DELETE_CONNECTOR, (org_id, connector_id))
    await connection.execute(DELETE_HEALTH, (org_id, connector_id))


async def keep_health(connection: Connection, values: Mapping[str, Any]) -> None:
    """Remember what a look at a connector found."""
    await connection.execute(KEEP_HEALTH, values)
