"""The agent's application in this process, called without a socket, and the rows that it leaves."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from axonflow_agent.app import create_app
from axonflow_agent.resources import Agent, open_agent
from axonflow_agent.settings import AgentSettings
from axonflow_settings import load
from psycopg.rows import dict_row
from starlette.types import ASGIApp

from support.gateway import CLIENT, CLIENT_SECRET, INTERNAL_SECRET, JWT_SECRET, ORG, Answer, basic
from support.serving import call, http_scope

_numbers = itertools.count(1)  # an address for each call: refusals of one address fold beyond twenty a second
KEYS = {"audit_logs": "decision_id", "llm_call_audits": "id", "gateway_contexts": "id", "mcp_query_audits": "id"}


@dataclasses.dataclass(frozen=True)
class Planes:
    """An open agent and its application."""

    agent: Agent
    app: ASGIApp
    headers: Mapping[str, str]

    async def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        sent = self.headers if headers is None else headers
        pairs = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
        scope = http_scope(method, path, pairs)
        number = next(_numbers)
        scope["client"] = (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 50_000)
        start, *rest = await call(self.app, scope, body)
        told = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], told, b"".join(part.get("body", b"") for part in rest))

    async def post(
        self, path: str, body: Mapping[str, Any] | bytes, headers: Mapping[str, str] | None = None
    ) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.ask("POST", path, data, headers)

    async def rows(self, table: str, key: str) -> list[dict[str, Any]]:
        """Rows of a table that the organisation sees under a decision's, call's or context's id."""
        async with self.agent.database.tenant(ORG) as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(f"SELECT * FROM {table} WHERE {KEYS[table]} = %s ORDER BY created_at", (key,))
            return await cursor.fetchall()

    async def row_of(self, answer: Answer) -> dict[str, Any]:
        """The one decision row of an answer."""
        [row] = await self.rows("audit_logs", answer.headers["x-axonflow-decision-id"])
        return row


@contextlib.asynccontextmanager
async def planes(database_url: str, directory: Path, mode: str = "enterprise", **env: str) -> AsyncIterator[Planes]:
    """An agent in ``mode`` on a migrated database; keywords are further environment variables."""
    environ = {
        "DATABASE_URL": database_url,
        "DEPLOYMENT_MODE": mode,
        "ORG_ID": ORG,
        "AUDIT_FALLBACK_PATH": str(directory / "audit_fallback.jsonl"),
        "AUDIT_COMMIT_WAIT_MS": "10000",
        "JWT_SECRET": JWT_SECRET,
        "AXONFLOW_INTERNAL_SERVICE_SECRET": INTERNAL_SECRET,
        "AXONFLOW_BOOTSTRAP_CLIENT": f"{CLIENT}:{CLIENT_SECRET}",
        **env,
    }
    async with open_agent(load(AgentSettings, environ)) as agent:
        headers = {} if mode == "community" else {"Authorization": basic(CLIENT, CLIENT_SECRET)}
        yield Planes(agent, create_app(agent), headers)
