"""``Mcp-Session-Id``: known to every replica, good for one client, and ended for good by ``DELETE``.

A session gives no right, since each request proves who it is; so none is asked for where PostgreSQL does not answer.
"""

from __future__ import annotations

import dataclasses
import logging
import uuid

from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_database import Database, DatabaseUnavailable

from axonflow_agent.mcp_server import store

logger = logging.getLogger("axonflow.agent")

HEADER = "mcp-session-id"
KEPT_S = 7 * 86_400.0
NOT_FOUND = "Session not found: it was ended, or has run out"


@dataclasses.dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions of all clients."""

    database: Database

    async def open(self, caller: Caller) -> str:
        """A new session's id; empty where it cannot be kept, which makes the client go without."""
        session_id = uuid.uuid4()
        try:
            async with self.database.tenant(caller.org_id) as connection:
                await store.open_session(connection, caller.org_id, caller.client_id, session_id, KEPT_S)
        except DatabaseUnavailable:
            logger.warning("an MCP session cannot be kept: the client goes without")
            return ""
        return str(session_id)

    async def check(self, caller: Caller, session_id: str) -> None:
        """Refuse a session that the client does not have.

        Raises:
            Fault: 404, which tells an MCP client to initialize anew.
        """
        try:
            async with self.database.tenant(caller.org_id) as connection:
                is_open = await store.is_open(connection, caller.org_id, caller.client_id, _parsed(session_id))
        except DatabaseUnavailable:
            return
        if not is_open:
            raise Fault(404, NOT_FOUND)

    async def end(self, caller: Caller, session_id: str) -> None:
        """End a session, on all replicas.

        Raises:
            Fault: 400 without an id, 404 for a session that the client does not have, 503 when it cannot be ended.
        """
        if not session_id:
            raise Fault(400, "Mcp-Session-Id header is required")
        try:
            async with self.database.tenant(caller.org_id) as connection:
                ended = await store.end_session(connection, caller.org_id, caller.client_id, _parsed(session_id))
        except DatabaseUnavailable as error:
            raise Fault(503, "The session cannot be ended: PostgreSQL does not answer") from error
        if not ended:
            raise Fault(404, NOT_FOUND)


def _parsed(session_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(session_id)
    except ValueError as error:
        raise Fault(404, NOT_FOUND) from error
