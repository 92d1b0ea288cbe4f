"""MCP checks while PostgreSQL is away: judged by what is loaded, refused where that is unknown, recorded afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

from axonflow_database import DatabaseUnavailable
from support.planes import Planes, planes
from support.postgres import Server

INPUT, SERVER = "/api/v1/mcp/check-input", "/api/v1/mcp-server"
ASK = {"connector_type": "postgres", "statement": "SELECT name FROM branches"}
INJECTION = {**ASK, "statement": "SELECT 1 FROM t WHERE a = '' OR 1=1; DROP TABLE t; --"}
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}},
}  # fmt: skip


async def recorded(opened: Planes, decision_id: str) -> list[dict[str, Any]]:
    """The detail row, once the server is back and the file was replayed."""
    deadline = time.monotonic() + 30
    rows: list[dict[str, Any]] = []
    while not rows and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        with contextlib.suppress(DatabaseUnavailable):
            rows = await opened.rows("mcp_query_audits", decision_id)
    return rows


async def test_checks_go_on_with_the_loaded_policies_and_lose_no_row(
    chaos_server: Server, chaos_database_url: str, tmp_path: Path
) -> None:
    async with planes(chaos_database_url, tmp_path, "community", AUDIT_COMMIT_WAIT_MS="250") as opened:
        assert (await opened.post(INPUT, ASK)).status == 200
        chaos_server.stop("immediate")
        keyed = await opened.post(INPUT, INJECTION, {"Idempotency-Key": "a"})
        greeted = await opened.post(SERVER, HELLO)
        ended = await opened.ask("DELETE", SERVER, b"", {"Mcp-Session-Id": "0c9e7a52-6d0f-4c3b-9a55-1f2f8f1f6b0d"})
        chaos_server.start()
        rows = await recorded(opened, keyed.json["decision_id"])
    assert (keyed.status, keyed.json["allowed"], "idempotent-replayed" in keyed.headers) == (403, False, False)
    assert (greeted.status, "mcp-session-id" in greeted.headers, ended.status) == (200, False, 503)
    assert [(row["request_blocked"], row["success"]) for row in rows] == [(True, False)]


async def test_a_check_whose_policies_cannot_be_known_is_refused(
    chaos_server: Server, chaos_database_url: str, tmp_path: Path
) -> None:
    async with planes(chaos_database_url, tmp_path, "community", AUDIT_COMMIT_WAIT_MS="250") as opened:
        chaos_server.stop("immediate")
        answer = await opened.post(INPUT, ASK)
    assert (answer.status, answer.json["allowed"], answer.json["success"]) == (503, False, False)
