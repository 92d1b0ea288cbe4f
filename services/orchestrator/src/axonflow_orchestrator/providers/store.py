"""Providers in the database: definitions, and what is known of their health."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import psycopg
from axonflow_database import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from axonflow_orchestrator.providers.records import ProviderHealth, Row

SELECT_PROVIDERS = """
    SELECT org_id, tenant_id, name, id::text AS id, type, endpoint, model, region, enabled, priority, weight,
        rate_limit, timeout_seconds, settings, credentials, credential_names, version
    FROM llm_providers
    WHERE org_id = %(org_id)s AND (%(tenant_id)s::text IS NULL OR tenant_id IN ('', %(tenant_id)s))
    ORDER BY name, tenant_id
"""
SELECT_ALL_PROVIDERS = """
    SELECT org_id, tenant_id, name, id::text AS id, type, endpoint, model, region, enabled, priority, weight,
        rate_limit, timeout_seconds, settings, credentials, credential_names, version
    FROM llm_providers
"""
LOCK_ORGANISATION = "SELECT pg_advisory_xact_lock(hashtextextended('axonflow llm providers ' || %s, 0))"
COUNT_PROVIDERS = "SELECT count(*) FROM llm_providers WHERE org_id = %s"
INSERT_PROVIDER = """
    INSERT INTO llm_providers (org_id, tenant_id, name, id, type, endpoint, model, region, enabled, priority, weight,
        rate_limit, timeout_seconds, settings, credentials, credential_names, created_by)
    VALUES (%(org_id)s, %(tenant_id)s, %(name)s, %(id)s, %(type)s, %(endpoint)s, %(model)s, %(region)s, %(enabled)s,
        %(priority)s, %(weight)s, %(rate_limit)s, %(timeout_seconds)s, %(settings)s, %(credentials)s,
        %(credential_names)s, %(created_by)s)
"""
UPDATE_PROVIDER = """
    UPDATE llm_providers SET type = %(type)s, endpoint = %(endpoint)s, model = %(model)s, region = %(region)s,
        enabled = %(enabled)s, priority = %(priority)s, weight = %(weight)s, rate_limit = %(rate_limit)s,
        timeout_seconds = %(timeout_seconds)s, settings = %(settings)s, credentials = %(credentials)s,
        credential_names = %(credential_names)s, version = version + 1, updated_at = now()
    WHERE org_id = %(org_id)s AND id = %(id)s AND version = %(version)s
"""
DELETE_PROVIDER = "DELETE FROM llm_providers WHERE org_id = %s AND id = %s AND version = %s"
DELETE_HEALTH = "DELETE FROM llm_provider_health WHERE org_id = %s AND provider = %s"
SELECT_HEALTH = """
    SELECT provider, status, message, checked_at AS last_checked FROM llm_provider_health WHERE org_id = %s
"""
# The lock has a removal under way end first: no state is left of what is gone.
KEEP_HEALTH = """
    WITH known AS (
        SELECT FROM llm_providers WHERE org_id = %(org_id)s AND id::text = %(provider)s FOR KEY SHARE)
    INSERT INTO llm_provider_health (org_id, provider, status, message, consecutive_failures, checked_at)
    SELECT %(org_id)s, %(provider)s, %(status)s, %(message)s, %(failures)s, %(checked_at)s
    WHERE %(deployment)s OR EXISTS (SELECT FROM known)
    ON CONFLICT (org_id, provider) DO UPDATE SET status = excluded.status, message = excluded.message,
        consecutive_failures = excluded.consecutive_failures, checked_at = excluded.checked_at
    WHERE llm_provider_health.checked_at < excluded.checked_at
"""


class NameTaken(Exception):
    """The tenant has a provider of that name."""


async def read_visible(connection: Connection, org_id: str, tenant_id: str | None) -> list[Row]:
    """What a tenant sees: its own and the organisation's; None is every tenant of the organisation."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_PROVIDERS, {"org_id": org_id, "tenant_id": tenant_id})
        return msgspec.convert(await cursor.fetchall(), list[Row])


async def read_all(connection: Connection) -> list[Row]:
    """Every provider of every organisation; for the platform role."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_ALL_PROVIDERS)
        return msgspec.convert(await cursor.fetchall(), list[Row])


async def count_locked(connection: Connection, org_id: str) -> int:
    """How many the organisation has; nobody adds one before this transaction ends."""
    await connection.execute(LOCK_ORGANISATION, (org_id,))
    row = await (await connection.execute(COUNT_PROVIDERS, (org_id,))).fetchone()
    return int(row[0]) if row else 0


async def insert(connection: Connection, row: Row, created_by: str) -> None:
    """Add one.

    Raises:
        NameTaken: the tenant has one of that name.
    """
    try:
        await connection.execute(INSERT_PROVIDER, {**_values(row), "created_by": created_by})
    except psycopg.errors.UniqueViolation as error:
        raise NameTaken from error


async def update(connection: Connection, row: Row) -> bool:
    """Replace one as of ``row.version``; False when it was changed or removed since it was read."""
    return (await connection.execute(UPDATE_PROVIDER, _values(row))).rowcount == 1


async def delete(connection: Connection, row: Row) -> bool:
    """Remove one and what is known of its health; False when it was changed or removed since it was read."""
    gone = await connection.execute(DELETE_PROVIDER, (row.org_id, row.id, row.version))
    await connection.execute(DELETE_HEALTH, (row.org_id, row.id))
    return gone.rowcount == 1


async def read_health(connection: Connection, org_id: str) -> dict[str, ProviderHealth]:
    """What replicas last kept, by provider."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_HEALTH, (org_id,))
        rows = await cursor.fetchall()
    return {row["provider"]: msgspec.convert(row, ProviderHealth) for row in rows}


async def keep_health(connection: Connection, states: Iterable[Mapping[str, Any]]) -> None:
    """Remember how providers of one organisation did; what was removed meanwhile, and what is older, is left out."""
    async with connection.cursor() as cursor:
        await cursor.executemany(KEEP_HEALTH, list(states))


def _values(row: Row) -> dict[str, Any]:
    values = msgspec.structs.asdict(row)
    return values | {"settings": Jsonb(dict(row.settings)), "credential_names": sorted(row.credential_names)}
