"""Statements on ``mcp_sessions``."""

from __future__ import annotations

from uuid import UUID

from axonflow_database import Connection

OPEN = """
    WITH over AS (DELETE FROM mcp_sessions WHERE org_id = %(org_id)s AND expires_at < now())
    INSERT INTO mcp_sessions (org_id, id, client_id, expires_at)
    VALUES (%(org_id)s, %(id)s, %(client_id)s, now() + make_interval(secs => %(kept_s)s))
"""
IS_OPEN = """
    SELECT FROM mcp_sessions
    WHERE org_id = %(org_id)s AND id = %(id)s AND client_id = %(client_id)s AND expires_at >= now()
"""
END = "DELETE FROM mcp_sessions WHERE org_id = %(org_id)s AND id = %(id)s AND client_id = %(client_id)s"


async def open_session(connection: Connection, org_id: str, client_id: str, session_id: UUID, kept_s: float) -> None:
    """Keep a session; those of the organisation whose time is over go."""
    params = {"org_id": org_id, "client_id": client_id, "id": session_id, "kept_s": kept_s}
    await connection.execute(OPEN, params)


async def is_open(connection: Connection, org_id: str, client_id: str, session_id: UUID) -> bool:
    """Whether the client has that session."""
    cursor = await connection.execute(IS_OPEN, {"org_id": org_id, "client_id": client_id, "id": session_id})
    return cursor.rowcount == 1


async def end_session(connection: Connection, org_id: str, client_id: str, session_id: UUID) -> bool:
    """Forget the session, and say whether there was one."""
    cursor = await connection.execute(END, {"org_id": org_id, "client_id": client_id, "id": session_id})
    return cursor.rowcount == 1
