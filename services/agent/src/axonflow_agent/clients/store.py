"""Client applications in the database."""

from __future__ import annotations

from typing import Any

import psycopg
from axonflow_database import Connection
from psycopg.rows import dict_row

from axonflow_agent.clients.records import Client

_COLUMNS = "client_id, org_id, tenant_id, name, secret_sha256, permissions, rate_limit, enabled, created_at, updated_at"

SELECT_ALL = f"SELECT {_COLUMNS} FROM clients"  # noqa: S608 - the column list above
SELECT_OF_ORG = f"SELECT {_COLUMNS} FROM clients WHERE org_id = %s ORDER BY created_at, client_id"  # noqa: S608
INSERT_CLIENT = f"""
INSERT INTO clients (client_id, org_id, tenant_id, name, secret_sha256, permissions, rate_limit)
VALUES (%(client_id)s, %(org_id)s, %(tenant_id)s, %(name)s, %(secret_sha256)s, %(permissions)s, %(rate_limit)s)
RETURNING {_COLUMNS}
"""  # noqa: S608
UPDATE_CLIENT = f"""
UPDATE clients SET
    name = coalesce(%(name)s, name),
    enabled = coalesce(%(enabled)s, enabled),
    rate_limit = coalesce(%(rate_limit)s, rate_limit),
    secret_sha256 = coalesce(%(secret_sha256)s, secret_sha256),
    updated_at = now()
WHERE org_id = %(org_id)s AND client_id = %(client_id)s
RETURNING {_COLUMNS}
"""  # noqa: S608


class ClientExists(Exception):
    """The client id is taken, in this organisation or in another one."""


async def all_clients(connection: Connection) -> dict[str, Client]:
    """Every client of the deployment by id; needs the platform role."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_ALL)
        return {row["client_id"]: _client(row) for row in await cursor.fetchall()}


async def clients_of(connection: Connection, org_id: str) -> list[Client]:
    """The clients of one organisation, oldest first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_OF_ORG, (org_id,))
        return [_client(row) for row in await cursor.fetchall()]


async def insert_client(connection: Connection, **values: Any) -> Client:
    """Add a client.

    Raises:
        ClientExists: the id is taken.
    """
    async with connection.cursor(row_factory=dict_row) as cursor:
        try:
            await cursor.execute(INSERT_CLIENT, values)
        except psycopg.errors.UniqueViolation as error:
            raise ClientExists from error
        row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - RETURNING gives the inserted row
    return _client(row)


async def update_client(connection: Connection, org_id: str, client_id: str, **changes: Any) -> Client | None:
    """Change what ``changes`` names (name, enabled, rate_limit, secret_sha256); None when there is no such client."""
    named = dict.fromkeys(("name", "enabled", "rate_limit", "secret_sha256")) | changes
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(UPDATE_CLIENT, {"org_id": org_id, "client_id": client_id, **named})
        row = await cursor.fetchone()
    return _client(row) if row else None


def _client(row: dict[str, Any]) -> Client:
    return Client(**{**row, "secret_sha256": bytes(row["secret_sha256"]), "permissions": tuple(row["permissions"])})
