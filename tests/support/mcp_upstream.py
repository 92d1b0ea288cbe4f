"""An MCP server by the official SDK, whose tools are what a file says at the moment that it is asked.

Run as a script with the file's path it serves over stdio; ``served_upstream`` serves it over Streamable HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

SSN = "123-45-6789"
OBJECT: dict[str, Any] = {"type": "object", "properties": {"id": {"type": "string"}}}
FIND = {
    "name": "find_customer",
    "description": "Looks a customer up by id.",
    "inputSchema": OBJECT,
    "annotations": {"readOnlyHint": True},
}
NOTE = {"name": "add_note", "description": "Adds a note to a customer.", "inputSchema": OBJECT}
FLOOD = {"name": "flood", "description": "Gives a long text.", "inputSchema": OBJECT}
PID = {"name": "pid", "description": "Tells the process id.", "inputSchema": {"type": "object"}}
MODEL = {"name": "ask_model", "description": "Asks the caller's model.", "inputSchema": {"type": "object"}}
ENVIRONMENT = {"name": "environment", "description": "Names its variables.", "inputSchema": {"type": "object"}}
DIE = {"name": "die", "description": "Ends the server.", "inputSchema": {"type": "object"}}


class ToolFile:
    """The tools that a server offers, changed from outside while it runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, *tools: dict[str, Any]) -> None:
        temporary = self.path.with_suffix(".new")
        temporary.write_text(json.dumps(tools))
        temporary.replace(self.path)

    def read(self) -> list[types.Tool]:
        return [types.Tool.model_validate(each) for each in json.loads(self.path.read_text())]


def upstream(tools: ToolFile) -> Server[Any]:
    """The server."""
    told: list[str] = []

    async def list_tools(
        _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        told[:] = [tools.path.read_text()]
        return types.ListToolsResult(tools=tools.read())

    async def call_tool(
        context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        if told and told != [tools.path.read_text()]:
            await context.session.send_tool_list_changed()
        return await _answer(context, params.name, params.arguments or {})

    return Server("notes", version="1.0", on_list_tools=list_tools, on_call_tool=call_tool)


async def _answer(context: ServerRequestContext[Any], name: str, given: dict[str, Any]) -> types.CallToolResult:
    if name == "find_customer":
        return _text(json.dumps({"id": given.get("id"), "ssn": SSN}))
    if name == "flood":
        return _text("x" * int(given["id"]))
    if name == "pid":
        return _text(str(os.getpid()))
    if name == "environment":
        return _text(" ".join(sorted(os.environ)))
    if name == "ask_model":
        return _text(await _sampled(context))
    if name == "die":
        os._exit(1)
    return _text("done")


async def _sampled(context: ServerRequestContext[Any]) -> str:
    message = types.SamplingMessage(role="user", content=types.TextContent(type="text", text="hello"))
    request = types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=[message], max_tokens=1))
    try:
        await context.session.send_request(request, types.CreateMessageResult)
    except MCPError as error:
        return f"refused: {error.message}"
    return "answered"


def _text(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)])


def stdio_command(tools: ToolFile) -> tuple[str, ...]:
    """The command line of the server as a child."""
    return (sys.executable, str(Path(__file__).resolve()), str(tools.path))


@contextlib.asynccontextmanager
async def served_upstream(tools: ToolFile) -> AsyncIterator[str]:
    """Its address over Streamable HTTP while the block runs."""
    from support.serving import served

    app = upstream(tools).streamable_http_app(json_response=True)
    async with served(app, server="uvicorn") as port:
        yield f"http://127.0.0.1:{port}/mcp"


async def _main() -> None:
    server = upstream(ToolFile(Path(sys.argv[1])))
    async with stdio_server() as (received, sent):
        await server.run(received, sent, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(_main())
