"""An MCP server as a child: a listed command, little environment, limits, and no life beyond its connection's.

The SDK's own stdio client sets no limits and reads lines of any length, so the pipes are carried here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import mcp_types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from axonflow_settings import StdioCommand
from mcp.shared.message import SessionMessage

from axonflow_connectors.faults import ConnectorFault, FaultKind

Received = MemoryObjectReceiveStream[SessionMessage | Exception]
Streams = tuple[Received, MemoryObjectSendStream[SessionMessage]]

MEMORY_BYTES = 1 << 30
CPU_S = 3600
LONGEST_LINE_BYTES = 16 << 20
_GRACE_S = 0.5
_LAUNCHER = Path(__file__).with_name("launch.py")
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}


@contextlib.asynccontextmanager
async def stdio_streams(command: StdioCommand, *, memory_bytes: int = MEMORY_BYTES) -> AsyncIterator[Streams]:
    """The streams of a child that is started for the block and killed, with its process group, at its end.

    Raises:
        ConnectorFault: of kind unreachable; the child cannot be started.
    """
    child = await _start(command, memory_bytes)
    incoming, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    sent, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    pipes = [
        asyncio.create_task(_read(child, incoming)),
        asyncio.create_task(_write(child, outgoing)),
    ]
    try:
        yield received, sent
    finally:
        for pipe in pipes:
            pipe.cancel()
        await asyncio.shield(_stop(child))
        await asyncio.wait(pipes)
        for stream in (incoming, received, sent, outgoing):
            stream.close()


async def _start(command: StdioCommand, memory_bytes: int) -> asyncio.subprocess.Process:
    launcher = (sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), str(memory_bytes), str(CPU_S))
    try:
        return await asyncio.create_subprocess_exec(
            *launcher,
            *command.argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # it may quote what it was asked
            env={**_ENVIRONMENT, **command.environment},
            cwd="/",
            start_new_session=True,
            limit=LONGEST_LINE_BYTES,
        )
    except OSError as error:
        raise ConnectorFault(FaultKind.UNREACHABLE, "The MCP server's command cannot be started") from error


async def _read(
    child: asyncio.subprocess.Process, incoming: MemoryObjectSendStream[SessionMessage | Exception]
) -> None:
    """Lines to messages, one at a time, until the child closes its end, talks nonsense or talks too much."""
    if child.stdout is None:
        raise RuntimeError("the child was started without pipes")
    with incoming, contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        while True:
            try:
                line = await child.stdout.readuntil(b"\n")
                message = mcp_types.jsonrpc_message_adapter.validate_json(line, by_name=False)
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
                return
            await incoming.send(SessionMessage(message))


async def _write(child: asyncio.subprocess.Process, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
    if child.stdin is None:
        raise RuntimeError("the child was started without pipes")
    with contextlib.suppress(OSError):
        async with outgoing:
            async for item in outgoing:
                child.stdin.write(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                await child.stdin.drain()


async def _stop(child: asyncio.subprocess.Process) -> None:
    """End of input, then a request, then force; the group goes in any case."""
    if child.stdin is not None:
        child.stdin.close()
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await _exited(child)
        _signal_group(child, sign)
    await _exited(child)


async def _exited(child: asyncio.subprocess.Process) -> None:
    # Not wait(): it also waits for the pipes, which a grandchild may hold open.
    while child.returncode is None:  # noqa: ASYNC110 - asyncio tells of an exit nowhere else
        await asyncio.sleep(0.02)


def _signal_group(child: asyncio.subprocess.Process, sign: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, sign)
