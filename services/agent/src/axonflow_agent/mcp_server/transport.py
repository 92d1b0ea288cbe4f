"""One HTTP exchange with the official SDK's server: a request in, a response out, and nothing kept between two.

The SDK's own Streamable HTTP speaks the protocol, in its stateless form with JSON answers; doors, limits, headers and
records stay the agent's. See decision 011.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
from axonflow_contracts.version import platform_version
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams, TextContent, Tool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from axonflow_agent.mcp_server.catalogue import TOOLS
from axonflow_agent.mcp_server.catalogue import Tool as Shown
from axonflow_agent.mcp_server.tools import Outcome

NAME = "axonflow"
INSTRUCTIONS = (
    "Governance for tools. Call check_policy before a statement or command is sent anywhere, and do not send it when "
    "allowed is false. Call check_output on what came back, and use redacted_data instead of it when there is one."
)
UseTool = Callable[[str, dict[str, Any]], Awaitable[Outcome]]
_ACCEPT = b"application/json, text/event-stream"
_REPLACED = (b"accept", b"content-type", b"content-length", b"mcp-session-id")


def quiet() -> None:
    """Let the SDK log faults of its own alone: below that it tells of each message, and what a caller wrote in it."""
    logging.getLogger("mcp").setLevel(logging.ERROR)


async def exchange(
    request: Request, document: dict[str, Any], use_tool: UseTool, further: Callable[[], Awaitable[Iterable[Shown]]]
) -> Response:
    """The SDK's response to one message, which may use one tool; ``further`` are tools beside our own."""
    body = msgspec.json.encode(document)
    headers = [
        *((name, value) for name, value in request.headers.raw if name.lower() not in _REPLACED),
        (b"accept", _ACCEPT),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    manager = StreamableHTTPSessionManager(
        _server(use_tool, further), json_response=True, stateless=True, max_request_body_size=len(body) + 1
    )
    async with manager.run():
        await manager.handle_request({**request.scope, "headers": headers}, _once(body), keep)
    start, *rest = sent
    told = b"".join(part.get("body", b"") for part in rest)
    kind = dict(start.get("headers", ())).get(b"content-type", b"application/json").decode()
    return Response(told, start["status"], media_type=kind if told else None)


def _server(use_tool: UseTool, further: Callable[[], Awaitable[Iterable[Shown]]]) -> Server[Any]:
    async def listed(_context: ServerRequestContext[Any], _params: PaginatedRequestParams | None) -> ListToolsResult:
        shown = [*TOOLS, *await further()]
        tools = [Tool(name=tool.name, description=tool.description, input_schema=dict(tool.schema)) for tool in shown]
        return ListToolsResult(tools=tools)

    async def called(_context: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        outcome = await use_tool(params.name, params.arguments or {})
        text = msgspec.json.encode(outcome.body).decode()
        return CallToolResult(content=[TextContent(type="text", text=text)], is_error=outcome.failed)

    return Server(
        NAME, version=platform_version(), instructions=INSTRUCTIONS, on_list_tools=listed, on_call_tool=called
    )


def _once(body: bytes) -> Receive:
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if first:
            return first.pop()
        # A caller that hangs up does not stop a call that is being recorded.
        await asyncio.Event().wait()
        raise AssertionError("nothing sets that event")

    return receive
