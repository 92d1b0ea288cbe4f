"""The tool lockfile at run time: no tool of an upstream MCP server is called but in the form that was accepted.

What a server offers is reported to the orchestrator, which keeps the lockfile, whenever it changes; what the
orchestrator answers holds until the next change on either side. Without an answer nothing is called.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec
from axonflow_connectors import Call, Connector, ConnectorFault, FaultKind, Limits, Rows, Tool, ToolAnswer, Written
from axonflow_connectors.mcp import tool_hash
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.connectors import ConnectorDefinition
from axonflow_contracts.tool_locks import (
    OBSERVED_PATH,
    TOOL_LOCKS_CHANNEL,
    LockedTool,
    LockedTools,
    Observation,
    OfferedTool,
)
from axonflow_database import Database, Follower
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter
from yarl import URL

TYPE = "mcp"
AUDIENCE = "orchestrator"
TIMEOUT_S = 15.0
_OK = 200
_REASONS = {
    "pending": "The tool has not been accepted by an administrator yet",
    "quarantined": "The tool is quarantined: its description or schema changed since it was accepted",
    "rejected": "An administrator rejected the tool",
    "accepted": "The tool changed a moment ago and has to be looked at",
}


@dataclasses.dataclass(frozen=True, slots=True)
class OrchestratorLocks:
    """Reports what servers offer.

    Attributes:
        base_url: the orchestrator's.
        service: the name that this process acts under.
    """

    session: aiohttp.ClientSession
    minter: TokenMinter
    base_url: str
    service: str

    async def observe(self, org_id: str, tenant_id: str, heard: Observation) -> Mapping[str, LockedTool]:
        """How the tools stand, by name.

        Raises:
            ConnectorFault: of kind unreachable; there is no answer, or none that can be read.
        """
        caller = Caller(org_id=org_id, tenant_id=tenant_id, client_id=self.service, kind=CallerKind.SERVICE)
        body = msgspec.json.encode(heard)
        token = self.minter.mint(audience=AUDIENCE, caller=caller, method="POST", target=OBSERVED_PATH, body=body)
        headers = {TOKEN_HEADER: token, "Content-Type": "application/json", "Accept-Encoding": "identity"}
        url = URL(self.base_url + OBSERVED_PATH, encoded=True)
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self.session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                raw = await answer.read()
                if answer.status != _OK:
                    raise _unknown()
                found = msgspec.json.decode(raw, type=LockedTools)
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError) as error:
            raise _unknown() from error
        return {lock.name: lock for lock in found.tools}


class ToolLocks:
    """Puts connectors of upstream servers under the lockfile, and follows its changes."""

    def __init__(self, source: OrchestratorLocks, database: Database) -> None:
        counter = itertools.count(1)

        async def announced() -> int:
            return next(counter)

        self.source = source
        self._changes: Follower[int] = Follower(database, TOOL_LOCKS_CHANNEL, announced)

    @property
    def revision(self) -> int:
        """Grows with each decision on any tool, on whatever replica it was made."""
        return self._changes.current or 0

    async def start(self) -> None:
        """Follow changes.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        await self._changes.start()

    async def close(self) -> None:
        """Stop following."""
        await self._changes.close()

    def locked(self, connector: Connector, org_id: str, definition: ConnectorDefinition) -> Connector:
        """``connector`` as it may be used: under the lockfile, if its tools are somebody else's words."""
        return LockedConnector(connector, self, org_id, definition) if definition.type == TYPE else connector


class LockedConnector(Connector):
    """One upstream server, of whose tools only the accepted ones can be seen or called."""

    def __init__(self, inner: Connector, locks: ToolLocks, org_id: str, definition: ConnectorDefinition) -> None:
        self.capabilities = inner.capabilities
        self._inner = inner
        self._locks = locks
        self._org_id = org_id
        self._definition = definition
        self._asking = asyncio.Lock()
        self._offered: tuple[Tool, ...] | None = None
        self._revision = -1
        self._hashes: Mapping[str, str] = {}
        self._standing: Mapping[str, LockedTool] = {}

    async def test(self) -> Mapping[str, str]:
        """As the connector does; what is offered by now is reported."""
        answered = await self._inner.test()
        await self._look()
        return answered

    async def tools(self) -> tuple[Tool, ...]:
        """The tools that are offered in the form that was accepted."""
        return tuple(tool for tool in await self._look() if self._refusal(tool.name) is None)

    async def query(self, call: Call) -> Rows:
        """Call a tool that was accepted as reading only."""
        name = call.statement.strip()
        await self._admit(name)
        if self._standing[name].access != "read":
            raise ConnectorFault(FaultKind.READ_ONLY, "The tool was not accepted as reading only; execute it")
        return await self._inner.query(call)

    async def execute(self, call: Call) -> Written:
        """Call a tool that was accepted."""
        await self._admit(call.statement.strip())
        return await self._inner.execute(call)

    async def call_tool(self, name: str, arguments: Mapping[str, Any], limits: Limits) -> ToolAnswer:
        """Call a tool that was accepted."""
        await self._admit(name)
        return await self._inner.call_tool(name, arguments, limits)

    async def close(self) -> None:
        """Close the connector."""
        await self._inner.close()

    async def _admit(self, name: str) -> None:
        offered = await self._look()
        if all(tool.name != name for tool in offered):
            raise ConnectorFault(FaultKind.REQUEST, "The MCP server offers no tool of this name")
        refusal = self._refusal(name)
        if refusal is not None:
            raise ConnectorFault(FaultKind.LOCKED, refusal)

    def _refusal(self, name: str) -> str | None:
        """Why a tool that is offered may not be called."""
        lock = self._standing.get(name)
        if lock is None:
            return _REASONS["pending"]
        is_accepted = lock.state == "accepted" and lock.accepted_hash == self._hashes[name]
        return None if is_accepted else _REASONS[lock.state]

    async def _look(self) -> tuple[Tool, ...]:
        """What is offered now, with its standing brought up to date where either side changed."""
        async with self._asking:
            offered, revision = await self._inner.tools(), self._locks.revision
            if offered != self._offered or revision != self._revision:
                self._offered = None  # an answer that does not come leaves nothing standing
                self._standing = {}
                self._standing = await self._locks.source.observe(
                    self._org_id, self._definition.tenant_id, _observation(self._definition.id, offered)
                )
                self._hashes = {tool.name: tool_hash(tool) for tool in offered}
                self._offered, self._revision = offered, revision
            return offered


def _observation(connector_id: str, offered: tuple[Tool, ...]) -> Observation:
    tools = tuple(
        OfferedTool(
            name=tool.name,
            description=tool.description,
            input_schema=tool.input_schema,
            title=tool.title,
            output_schema=tool.output_schema,
            annotations=tool.annotations,
        )
        for tool in offered
    )
    return Observation(connector_id=connector_id, tools=tools)


def _unknown() -> ConnectorFault:
    return ConnectorFault(FaultKind.UNREACHABLE, "Whether the tool was accepted cannot be found out now")
