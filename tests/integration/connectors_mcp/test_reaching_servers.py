"""How an upstream MCP server is reached: listed command lines and checked addresses, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axonflow_connectors import Call, Connector, ConnectorFault, ConnectorRegistry, FaultKind, Limits, Surroundings
from axonflow_connectors.mcp import SPEC
from axonflow_outbound import Egress, Outbound
from axonflow_settings import StdioCommand
from starlette.types import Receive, Scope, Send
from support.mcp_upstream import DIE, ENVIRONMENT, FIND, FLOOD, PID, ToolFile, stdio_command, upstream
from support.serving import served

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> ToolFile:
    file = ToolFile(tmp_path_factory.mktemp("upstream") / "tools.json")
    file.write(FIND, FLOOD, PID, ENVIRONMENT, DIE)
    return file


@contextlib.asynccontextmanager
async def registered(tools: ToolFile, allowed: str = "") -> AsyncIterator[ConnectorRegistry]:
    listed = (StdioCommand("notes", stdio_command(tools), {"GIVEN": "1"}),)
    async with Outbound(Egress.parse(allowed)) as outbound:
        yield ConnectorRegistry([SPEC], Surroundings(outbound=outbound, stdio_commands=listed))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def connector(tools: ToolFile) -> AsyncIterator[Connector]:
    async with registered(tools) as registry:
        options = {"transport": "stdio", "command": "notes"}
        opened = await registry.open("mcp", org_id="acme", options=options, credentials={})
        try:
            yield opened
        finally:
            await opened.close()


async def said(connector: Connector, tool: str) -> str:
    answer = await connector.call_tool(tool, {}, Limits())
    return str(answer.content[0]["text"])


@pytest.mark.parametrize("command", ["/bin/sh", "sh -c id", "notes; id", "", "notes2", sys.executable])
async def test_a_command_that_the_operator_did_not_list_is_refused(tools: ToolFile, command: str) -> None:
    async with registered(tools) as registry:
        options = {"transport": "stdio", "command": command}
        with pytest.raises(ConnectorFault, match="AXONFLOW_MCP_STDIO_COMMANDS"):
            await registry.check("mcp", org_id="acme", options=options, credentials={})
        with pytest.raises(ConnectorFault, match="AXONFLOW_MCP_STDIO_COMMANDS"):
            await registry.open("mcp", org_id="acme", options=options, credentials={})


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[::1]", "0x7f000001", "127.0.0.1"])
async def test_an_address_inside_is_refused_at_save_and_at_every_dial(tools: ToolFile, host: str) -> None:
    async with registered(tools) as registry:
        options = {"transport": "http", "url": f"http://{host}/mcp"}
        with pytest.raises(ConnectorFault) as refused:
            await registry.check("mcp", org_id="acme", options=options, credentials={})
        assert refused.value.kind in {FaultKind.EGRESS, FaultKind.CONFIGURATION}
        opened = await registry.open("mcp", org_id="acme", options=options, credentials={})
        with pytest.raises(ConnectorFault) as dialled:
            await opened.tools()
        assert dialled.value.kind is FaultKind.EGRESS
        await opened.close()


async def test_a_redirect_is_not_followed(tools: ToolFile) -> None:
    async def redirecting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 307 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(redirecting, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with registered(tools, "127.0.0.1") as registry:
            options = {"transport": "http", "url": f"http://127.0.0.1:{port}/mcp"}
            opened = await registry.open("mcp", org_id="acme", options=options, credentials={})
            with pytest.raises(ConnectorFault, match="redirect"):
                await opened.tools()
            await opened.close()


async def test_a_server_that_does_not_hear_of_the_end_of_its_session_is_left(tools: ToolFile) -> None:
    """It would hold up whoever closes the connector for as long as a request may take."""
    told, inner = asyncio.Event(), upstream(tools).streamable_http_app(json_response=True)

    async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") == "DELETE":
            told.set()
            await asyncio.Event().wait()
        await inner(scope, receive, send)

    async with served(deaf, server="uvicorn") as port, registered(tools, "127.0.0.1") as registry:
        options = {"transport": "http", "url": f"http://127.0.0.1:{port}/mcp"}
        opened = await registry.open("mcp", org_id="acme", options=options, credentials={})
        assert await opened.tools()
        async with asyncio.timeout(20):
            await opened.close()
    assert told.is_set()


async def test_a_child_has_no_more_than_it_is_given(connector: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_AGENT", "1")
    assert set((await said(connector, "environment")).split()) <= {"GIVEN", "HOME", "LANG", "LC_CTYPE", "PATH"}
    limits = Path(f"/proc/{await said(connector, 'pid')}/limits").read_text()
    assert f"{1 << 30}" in next(line for line in limits.splitlines() if line.startswith("Max data size"))


async def test_a_child_that_ends_is_started_again(connector: Connector) -> None:
    first = await said(connector, "pid")
    with pytest.raises(ConnectorFault) as ended:
        await said(connector, "die")
    assert ended.value.kind is FaultKind.UNREACHABLE
    async with asyncio.timeout(20):
        while True:
            try:
                again = await said(connector, "pid")
            except ConnectorFault:
                await asyncio.sleep(0.1)
                continue
            assert again != first
            return


async def test_a_line_without_end_ends_the_child_and_nothing_else(connector: Connector) -> None:
    with pytest.raises(ConnectorFault):
        await connector.execute(Call(statement="flood", parameters={"id": str(17 << 20)}))


async def test_a_child_dies_with_a_killed_agent(tools: ToolFile, tmp_path: Path) -> None:
    script = tmp_path / "agent.py"
    script.write_text(
        "import asyncio, sys\n"
        "from axonflow_connectors.mcp.connector import Mcp\n"
        "from axonflow_connectors.mcp.link import Link\n"
        "from axonflow_connectors import Limits\n"
        "from axonflow_settings import StdioCommand\n"
        "async def main():\n"
        "    connector = Mcp(Link.to_command(StdioCommand('notes', tuple(sys.argv[1:]), {})))\n"
        "    answer = await connector.call_tool('pid', {}, Limits())\n"
        "    print(answer.content[0]['text'], flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    agent = await asyncio.create_subprocess_exec(
        sys.executable, str(script), *stdio_command(tools), stdout=asyncio.subprocess.PIPE
    )
    assert agent.stdout is not None
    child = int(await agent.stdout.readline())
    assert is_running(child)
    agent.send_signal(signal.SIGKILL)
    await agent.wait()
    async with asyncio.timeout(10):
        while is_running(child):
            await asyncio.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
