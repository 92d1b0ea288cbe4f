"""Tenants' choices in the database, and the rows of the record that tell of media."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from axonflow_audit.filters import Position
from axonflow_database import Connection
from psycopg.rows import dict_row

from axonflow_orchestrator.media.records import Choice, ConfigChange, MediaConfig

CHANNEL = "axonflow_media"
SELECT_CHOICES = "SELECT org_id, tenant_id, enabled, allowed_analyzers FROM media_governance_config"
SELECT_CONFIG = """
    SELECT tenant_id, enabled, allowed_analyzers, updated_at, updated_by
    FROM media_governance_config WHERE org_id = %s AND tenant_id = %s
"""
CHANGE_CONFIG = """
    INSERT INTO media_governance_config AS c (org_id, tenant_id, enabled, allowed_analyzers, updated_by)
    VALUES (%(org_id)s, %(tenant_id)s, coalesce(%(enabled)s, %(by_default)s), coalesce(%(allowed)s::text[], '{}'),
        %(author)s)
    ON CONFLICT (org_id, tenant_id) DO UPDATE SET enabled = coalesce(%(enabled)s, c.enabled),
        allowed_analyzers = coalesce(%(allowed)s::text[], c.allowed_analyzers), updated_at = now(),
        updated_by = excluded.updated_by
    RETURNING tenant_id, enabled, allowed_analyzers, updated_at, updated_by
"""
SELECT_CALLS = """
    SELECT id, created_at, decision_id, request_id, tenant_id, client_id, user_email, verdict,
        metadata->'media' AS media
    FROM audit_logs
    WHERE org_id = %(org_id)s AND metadata ? 'media'
        AND (%(tenant_id)s::text IS NULL OR tenant_id = %(tenant_id)s)
        AND created_at BETWEEN %(since)s AND %(until)s
        AND (%(after_at)s::timestamptz IS NULL OR (created_at, id) < (%(after_at)s, %(after_id)s))
    ORDER BY created_at DESC, id DESC LIMIT %(limit)s
"""


class MediaCall(msgspec.Struct, frozen=True, kw_only=True):
    """A governed call with media, as the record has it.

    Attributes:
        media: what `MediaVerdict.recorded` gave.
    """

    id: str
    created_at: datetime
    decision_id: str
    request_id: str | None
    tenant_id: str
    client_id: str
    user_email: str | None
    verdict: str
    media: Mapping[str, Any]


async def read_choices(connection: Connection) -> dict[tuple[str, str], Choice]:
    """What every tenant of every organisation chose."""
    rows = await (await connection.execute(SELECT_CHOICES)).fetchall()
    return {(org_id, tenant_id): Choice(enabled, tuple(allowed)) for org_id, tenant_id, enabled, allowed in rows}


async def read_config(connection: Connection, org_id: str, tenant_id: str) -> MediaConfig | None:
    """What a tenant chose, or None."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_CONFIG, (org_id, tenant_id))
        row = await cursor.fetchone()
    return None if row is None else msgspec.convert(row, MediaConfig)


async def change_config(
    connection: Connection, org_id: str, tenant_id: str, change: ConfigChange, *, by_default: bool, author: str
) -> MediaConfig:
    """Keep a change; what it leaves open stays, or is as by default where nothing was chosen before."""
    allowed = None if change.allowed_analyzers is None else list(change.allowed_analyzers)
    values = {
        "org_id": org_id,
        "tenant_id": tenant_id,
        "enabled": change.enabled,
        "by_default": by_default,
        "allowed": allowed,
        "author": author,
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(CHANGE_CONFIG, values)
        return msgspec.convert(await cursor.fetchone(), MediaConfig)


async def read_calls(
    connection: Connection,
    org_id: str,
    tenant_id: str | None,
    window: tuple[datetime, datetime],
    *,
    after: Position | None,
    limit: int,
) -> list[MediaCall]:
    """Calls with media, newest first, at most ``limit`` behind ``after``."""
    values = {
        "org_id": org_id,
        "tenant_id": tenant_id,
        "since": window[0],
        "until": window[1],
        "after_at": after and after.created_at,
        "after_id": after and after.id,
        "limit": limit,
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_CALLS, values)
        return msgspec.convert(await cursor.fetchall(), list[MediaCall])
