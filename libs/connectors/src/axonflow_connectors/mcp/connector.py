"""The generic MCP client: the tools of an upstream server, over stdio or Streamable HTTP, as a connector.

It knows nothing of who accepted which tool; whoever runs it asks before each call. Sampling, elicitation and roots
are never offered to a server, and what it asks of them is refused by the SDK.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.gathering import Gathering, within
from axonflow_connectors.http_answers import endpoint_of
from axonflow_connectors.mcp.answers import blocks_of, rows_of
from axonflow_connectors.mcp.link import START_S, Link
from axonflow_connectors.mcp.streaming import HttpServer
from axonflow_connectors.protocol import (
    Call,
    Capability,
    Connector,
    Limits,
    Rows,
    Tool,
    ToolAnswer,
    Written,
    elapsed_ms,
)
from axonflow_connectors.specification import Configuration, ConnectorSpec, Endpoint, Field, Surroundings


class Mcp(Connector):
    """One upstream server."""

    capabilities = frozenset({Capability.QUERY, Capability.EXECUTE, Capability.TOOLS})

    def __init__(self, link: Link) -> None:
        self._link = link

    async def test(self) -> Mapping[str, str]:
        """Connect, and count the tools."""
        server = await self._link.server()
        listed = await self._link.listing()
        return {**server, "tools": str(len(listed.tools)), "left_out": str(listed.left_out)}

    async def tools(self) -> tuple[Tool, ...]:
        """The tools that can be called, in the order of the server."""
        async with within(START_S):
            return tuple((await self._link.listing()).tools.values())

    async def query(self, call: Call) -> Rows:
        """Call the tool that the statement names, if it says of itself that it only reads."""
        if not (await self._tool(call.statement)).read_only:
            raise ConnectorFault(FaultKind.READ_ONLY, "This tool does not say that it only reads; execute it")
        return await self._rows(call)

    async def execute(self, call: Call) -> Written:
        """Call the tool that the statement names."""
        await self._tool(call.statement)
        return Written(rows_affected=-1, answer=await self._rows(call))

    async def call_tool(self, name: str, arguments: Mapping[str, Any], limits: Limits) -> ToolAnswer:
        """Call one tool; its content blocks, as far as the limits go."""
        started = time.perf_counter()
        gathering = Gathering(limits)
        await self._tool(name)
        async with within(limits.timeout_s):
            result = await self._link.call(name, arguments)
        if not gathering.add_all(blocks_of(result)):
            raise ConnectorFault(FaultKind.TOO_LARGE, "The tool's answer is larger than the limit")
        return ToolAnswer(
            content=gathering.finish().rows, is_error=bool(result.is_error), duration_ms=elapsed_ms(started)
        )

    async def close(self) -> None:
        """End the connection, and the child with it."""
        await self._link.close()

    async def _tool(self, name: str) -> Tool:
        async with within(START_S):
            tool = (await self._link.listing()).tools.get(name.strip())
        if tool is None:
            raise ConnectorFault(FaultKind.REQUEST, "The MCP server offers no tool of this name")
        return tool

    async def _rows(self, call: Call) -> Rows:
        if call.parameters and not isinstance(call.parameters, Mapping):
            raise ConnectorFault(FaultKind.REQUEST, "Parameters must be an object of names and values")
        gathering = Gathering(call.limits)
        async with within(call.limits.timeout_s):
            result = await self._link.call(call.statement.strip(), dict(call.parameters))
        if result.is_error:
            raise ConnectorFault(FaultKind.FAILED, "The tool reported an error")
        gathering.add_all(rows_of(result))
        rows = gathering.finish()
        if rows.truncated == "bytes" and not rows.rows:
            raise ConnectorFault(FaultKind.TOO_LARGE, "The tool's answer is larger than the byte limit")
        return rows


def _endpoints(given: Configuration) -> tuple[Endpoint, ...]:
    return (endpoint_of(given.text("url")),) if given.text("transport") == "http" else ()


def _verify(given: Configuration, surroundings: Surroundings) -> None:
    if given.text("transport") == "http":
        if not given.text("url") or given.text("command"):
            raise ConnectorFault(FaultKind.CONFIGURATION, "transport http takes options.url and no command")
        if not given.secret("token").isascii():
            raise ConnectorFault(FaultKind.CONFIGURATION, "credentials.token must be ASCII, as a header is")
        return
    if given.text("url") or given.secret("token"):
        raise ConnectorFault(FaultKind.CONFIGURATION, "transport stdio takes options.command, no url and no token")
    if given.text("command") not in {command.name for command in surroundings.stdio_commands}:
        message = "options.command must be the name of an entry in AXONFLOW_MCP_STDIO_COMMANDS, which the operator sets"
        raise ConnectorFault(FaultKind.CONFIGURATION, message)


async def _open(given: Configuration, surroundings: Surroundings) -> Connector:
    if given.text("transport") == "http":
        token = given.secret("token")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Mcp(Link.to_server(HttpServer(given.text("url"), headers, surroundings.outbound)))
    listed = {command.name: command for command in surroundings.stdio_commands}
    return Mcp(Link.to_command(listed[given.text("command")]))


SPEC = ConnectorSpec(
    type="mcp",
    title="MCP server",
    description="The tools of an upstream MCP server; each is used only once an administrator has accepted it.",
    category="tools",
    tags=("mcp", "tools"),
    fields=(
        Field(name="transport", help="How it is reached.", kind="choice", required=True, choices=("http", "stdio")),
        Field(name="url", help="Address of its Streamable HTTP endpoint, for transport http.", kind="url"),
        Field(name="token", help="Sent as a bearer token, for transport http.", kind="secret"),
        Field(name="command", help="Name of one of the operator's command lines, for transport stdio."),
        Field(
            name="accept_on_install",
            help="Take the tools of the first listing as accepted, but for those that are flagged.",
            kind="boolean",
            default=False,
        ),
    ),
    capabilities=Mcp.capabilities,
    open=_open,
    endpoints=_endpoints,
    verify=_verify,
)
