"""An agent and an orchestrator in this process, and upstream MCP servers that tests install."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
from mcp.client import ClientSession
from mcp.client.streamable_http import streamable_http_client

from support.gateway import Answer
from support.mcp_upstream import ToolFile, served_upstream, stdio_command
from support.planes import Planes, planes
from support.record import ORG, SECRET, Record, running_record
from support.serving import served

BASE = "/api/v1/connectors"
LISTED = "stdio.json"
CHANGES = """
    SELECT metadata->>'tool', metadata->>'change' FROM audit_logs
    WHERE request_type = 'tool_lock_change' AND metadata->>'connector' = %s ORDER BY created_at
"""
_numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Federation:
    """Both services, and a directory for tool files."""

    agent: Planes
    behind: Record
    directory: Path
    session: aiohttp.ClientSession
    url: str

    async def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """One call on the agent over a socket: what it forwards ends when its client hangs up."""
        async with self.session.request(method, self.url + path, json=body, headers=self.agent.headers) as answer:
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, told, await answer.read())

    def tool_file(self, *tools: dict[str, Any]) -> ToolFile:
        file = ToolFile(self.directory / f"tools{next(_numbers)}.json")
        file.write(*tools)
        return file

    @contextlib.asynccontextmanager
    async def installed(self, *tools: dict[str, Any], **options: Any) -> AsyncIterator[Upstream]:
        """A server over HTTP, installed under a name of its own."""
        file, name = self.tool_file(*tools), f"notes{next(_numbers)}"
        async with served_upstream(file) as url:
            answer = await self.install(name, {"transport": "http", "url": url, **options})
            assert answer.status == 201, answer.body
            try:
                yield Upstream(self, name, file)
            finally:
                await self.ask("DELETE", f"{BASE}/{name}")
                await self.agent.agent.connectors.live.retire(ORG, name=name)

    @contextlib.asynccontextmanager
    async def sdk_client(self) -> AsyncIterator[ClientSession]:
        """A session of the official SDK with the agent's own MCP server."""
        headers = dict(self.agent.headers)
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            streamable_http_client(f"{self.url}/api/v1/mcp-server", http_client=http) as (received, sent),
            ClientSession(received, sent) as session,
        ):
            await session.initialize()
            yield session

    @contextlib.asynccontextmanager
    async def installed_command(self, *tools: dict[str, Any]) -> AsyncIterator[Upstream]:
        """The listed command, installed under a name of its own."""
        file, name = ToolFile(self.directory / LISTED), f"child{next(_numbers)}"
        file.write(*tools)
        answer = await self.install(name, {"transport": "stdio", "command": "notes"})
        assert answer.status == 201, answer.body
        try:
            yield Upstream(self, name, file)
        finally:
            await self.ask("DELETE", f"{BASE}/{name}")
            await self.agent.agent.connectors.live.retire(ORG, name=name)

    async def install(self, name: str, options: dict[str, Any]) -> Answer:
        return await self.ask("POST", f"{BASE}/mcp/install", {"name": name, "tenant_id": "any", "options": options})


@dataclasses.dataclass(frozen=True)
class Upstream:
    """One installed server and its tools."""

    federation: Federation
    name: str
    file: ToolFile

    async def query(self, tool: str, **parameters: Any) -> Answer:
        body = {"connector": self.name, "statement": tool, "parameters": parameters}
        return await self.federation.ask("POST", "/mcp/resources/query", body)

    async def execute(self, tool: str, **parameters: Any) -> Answer:
        body = {"connector": self.name, "action": tool, "parameters": parameters}
        return await self.federation.ask("POST", "/mcp/tools/execute", body)

    async def until(self, status: int, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """The first answer of this status: notices of decisions and of changed tools travel beside the calls."""
        async with asyncio.timeout(15):
            while (answer := await call()).status != status:
                await asyncio.sleep(0.05)
        return answer

    async def look(self) -> dict[str, dict[str, Any]]:
        """How the tools stand, once the agent has heard of them."""
        await self.federation.ask("GET", f"/mcp/connectors/{self.name}/health")
        answer = await self.federation.ask("GET", f"{BASE}/{self.name}/tools")
        assert answer.status == 200, answer.body
        return {tool["name"]: tool for tool in answer.json["tools"]}

    async def diff(self, tool: str) -> dict[str, Any]:
        answer = await self.federation.ask("GET", f"{BASE}/{self.name}/tools/{tool}/diff")
        return answer.json

    async def decide(self, tool: str, what: str, **body: Any) -> Answer:
        given = {"hash": (await self.diff(tool))["hash"], **body}
        return await self.federation.ask("POST", f"{BASE}/{self.name}/tools/{tool}/{what}", given)

    async def accept(self, *tools: str) -> None:
        await self.look()
        for tool in tools:
            answer = await self.decide(tool, "accept")
            assert answer.status == 200, answer.body

    async def changes(self) -> list[tuple[str, str]]:
        """Tool and change of each row that the lockfile left."""
        async with self.federation.agent.agent.database.tenant(ORG) as connection:
            found = await connection.execute(CHANGES, (self.name,))
            return [(str(tool), str(change)) for tool, change in await found.fetchall()]


@contextlib.asynccontextmanager
async def federation_on(database_url: str, directory: Path) -> AsyncIterator[Federation]:
    """Both services on a migrated database, with one command listed as ``notes``."""
    listed = ToolFile(directory / LISTED)
    shared = {
        "AXONFLOW_SEALING_KEY": "a7" * 32,
        "AXONFLOW_INTERNAL_SERVICE_SECRET": SECRET,
        "AXONFLOW_EGRESS_ALLOW": "127.0.0.1",
        "AXONFLOW_MCP_STDIO_COMMANDS": "notes=" + " ".join(stdio_command(listed)),
        "AXONFLOW_LIMIT_CONNECTORS": "-1",
    }
    async with running_record(database_url, directory, **shared) as behind, served(behind.app) as port:
        agent = {"ORCHESTRATOR_URL": f"http://127.0.0.1:{port}", "MCP_PII_ACTION": "redact"}
        async with (
            planes(database_url, directory, **shared, **agent) as opened,
            served(opened.app) as agent_port,
            aiohttp.ClientSession() as session,
        ):
            yield Federation(opened, behind, directory, session, f"http://127.0.0.1:{agent_port}")
