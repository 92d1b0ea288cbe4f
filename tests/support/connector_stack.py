"""An agent and an orchestrator in this process, with notes in PostgreSQL and in SQLite behind their connectors."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from support.gateway import Answer
from support.planes import Planes, planes
from support.postgres import Server
from support.record import ORG, SECRET, running_record, sent_by
from support.serving import http_scope, served

PASSWORD = "canary-connector-password-5d1c"
LOGIN = "notes_caller"
SEALING_KEY = "a7" * 32
ADMIN_KEY = "admin-key-0123456789abcdef"
BASE = "/api/v1/connectors"


@dataclasses.dataclass(frozen=True)
class Stack:
    """Both services, and what a test needs to reach round them."""

    agent: Planes
    database_url: str
    directory: Path

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One call of a client that stays until it is answered, as forwarding needs."""
        sent = self.agent.headers if headers is None else headers
        pairs = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
        data = b"" if body is None else json.dumps(body).encode()
        start, *rest = await sent_by(self.agent.app, http_scope(method, path, pairs), data)
        told = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], told, b"".join(part.get("body", b"") for part in rest))

    async def install(self, name: str, type_: str, options: Mapping[str, Any], **more: Any) -> Answer:
        headers = more.pop("headers", None)
        body = {"name": name, "tenant_id": "any", "options": options, "credentials": {}, **more}
        return await self.ask("POST", f"{BASE}/{type_}/install", body, headers)

    async def query(self, connector: str, statement: str, **more: Any) -> Answer:
        headers = more.pop("headers", None)
        return await self.ask(
            "POST", "/mcp/resources/query", {"connector": connector, "statement": statement, **more}, headers
        )

    async def execute(self, connector: str, action: str, statement: str = "", **more: Any) -> Answer:
        body = {"connector": connector, "action": action, "statement": statement, **more}
        return await self.ask("POST", "/mcp/tools/execute", body)

    @property
    def postgres(self) -> dict[str, Any]:
        """Options of a connector to the database that the tests run on."""
        parts = conninfo_to_dict(self.database_url)
        return {
            "host": str(parts["host"]),
            "port": int(parts["port"]),
            "database": str(parts["dbname"]),
            "username": LOGIN,
            "sslmode": "disable",
        }

    async def detail(self, answer: Answer) -> dict[str, Any]:
        """The detail row of an answer."""
        [row] = await self.agent.rows("mcp_query_audits", answer.headers["x-axonflow-decision-id"])
        return row


@contextlib.asynccontextmanager
async def connector_stack(server: Server, directory: Path) -> AsyncIterator[Stack]:
    """Both services in this process, with the connectors ``crm`` and ``notes`` installed."""
    (directory / ORG).mkdir()
    with sqlite3.connect(directory / ORG / "crm.db") as file:
        file.execute("CREATE TABLE people (id INTEGER, name TEXT, ssn TEXT)")
        file.executemany("INSERT INTO people VALUES (?, ?, ?)", [(n, f"Ann {n}", f"123-45-678{n}") for n in range(5)])
    shared = {
        "AXONFLOW_SEALING_KEY": SEALING_KEY,
        "AXONFLOW_CONNECTOR_SQLITE_DIR": str(directory),
        "AXONFLOW_INTERNAL_SERVICE_SECRET": SECRET,
    }
    with server.database() as url:
        _make_notes(url)
        # The orchestrator may save one address more than the agent may dial.
        egress = {"AXONFLOW_EGRESS_ALLOW": "127.0.0.1,127.0.0.2"}
        async with running_record(url, directory, **shared, **egress) as behind, served(behind.app) as port:
            agent = {
                "AXONFLOW_EGRESS_ALLOW": "127.0.0.1",
                "ORCHESTRATOR_URL": f"http://127.0.0.1:{port}",
                "ADMIN_API_KEY": ADMIN_KEY,
                "MCP_MAX_ROWS_PER_QUERY": "50",
                "MCP_PII_ACTION": "redact",
            }
            async with planes(url, directory, **shared, **agent) as opened:
                made = Stack(opened, url, directory)
                assert (await made.install("crm", "sqlite", {"path": "crm.db", "writable": True})).status == 201
                given = {"credentials": {"password": PASSWORD}}
                answer = await made.install("notes", "postgres", made.postgres, **given)
                assert answer.status == 201, answer.body
                yield made


def _make_notes(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"DROP ROLE IF EXISTS {LOGIN}")
        owner.execute(f"CREATE ROLE {LOGIN} LOGIN PASSWORD '{PASSWORD}'")
        owner.execute(f"CREATE SCHEMA notes AUTHORIZATION {LOGIN}")
        owner.execute("CREATE TABLE notes.notes (id integer PRIMARY KEY, text text)")
        owner.execute("INSERT INTO notes.notes SELECT n, 'note ' || n FROM generate_series(1, 200) n")
        owner.execute(f"ALTER TABLE notes.notes OWNER TO {LOGIN}")
