"""Weights set at run time, in the database."""

from __future__ import annotations

from collections.abc import Mapping

from axonflow_database import Connection
from psycopg.types.json import Jsonb

SELECT_ALL = "SELECT org_id, scale, weights FROM llm_routing"
SELECT_ONE = "SELECT scale, weights FROM llm_routing WHERE org_id = %s FOR UPDATE"
KEEP = """
    INSERT INTO llm_routing (org_id, scale, weights, updated_by)
    VALUES (%(org_id)s, %(scale)s, %(weights)s, %(updated_by)s)
    ON CONFLICT (org_id) DO UPDATE SET scale = excluded.scale, weights = excluded.weights,
        updated_by = excluded.updated_by, updated_at = now()
"""


async def read_all(connection: Connection) -> list[tuple[str, str, dict[str, float]]]:
    """Organisation, scale and weights of all that set any."""
    return [(row[0], row[1], row[2]) for row in await (await connection.execute(SELECT_ALL)).fetchall()]


async def read_locked(connection: Connection, org_id: str) -> tuple[str, dict[str, float]] | None:
    """What an organisation set before; nobody else changes it until the transaction ends."""
    row = await (await connection.execute(SELECT_ONE, (org_id,))).fetchone()
    return None if row is None else (row[0], row[1])


async def keep(connection: Connection, org_id: str, scale: str, weights: Mapping[str, float], author: str) -> None:
    """Replace what an organisation set."""
    values = {"org_id": org_id, "scale": scale, "weights": Jsonb(dict(weights)), "updated_by": author}
    await connection.execute(KEEP, values)
