"""The default server: hypercorn's HTTP/1.1 on asyncio streams, one process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import MutableMapping
from typing import Any

from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from starlette.types import ASGIApp

from axonflow_web.connection import LINGER_S, MAX_HEAD_BYTES, Connection, Refused, Site

BACKLOG = 2048


class HypercornServer:
    """Accepts connections on a bound socket and serves ``app`` on each."""

    def __init__(self, app: ASGIApp, state: MutableMapping[str, Any], refused: Refused) -> None:
        config = Config()
        config.accesslog = config.errorlog = None
        config.include_server_header = False
        config.h11_max_incomplete_size = MAX_HEAD_BYTES
        config.keep_alive_max_requests = 1_000_000
        self._site = Site(app, config, WorkerContext(None), state, set(), refused)
        self._connections: dict[asyncio.Task[Any] | None, Connection] = {}
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Open the listener."""
        self._server = await asyncio.start_server(self._accept, sock=listener, backlog=BACKLOG)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        connection = self._connections[task] = Connection(self._site, reader, writer)
        try:
            await connection.run()
        finally:
            self._connections.pop(task, None)

    async def stop_accepting(self) -> None:
        """Close the listener and every idle connection; requests under way go on."""
        await self._site.context.terminated.set()
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections.values()):
            connection.end_if_idle()

    async def finish(self, timeout_s: float) -> int:
        """Wait for requests under way, cut the rest.

        Returns:
            How many requests were cut.
        """
        if self._site.running:
            await asyncio.wait(self._site.running, timeout=timeout_s)
        cut = list(self._site.running)
        for task in cut:
            task.cancel()
        if cut:
            await asyncio.wait(cut, timeout=1.0)
        await self._close_connections()
        return len(cut)

    async def _close_connections(self) -> None:
        """Let last answers be read, then close what is left."""
        open_tasks = {task for task in self._connections if task is not None}
        if not open_tasks:
            return
        await asyncio.wait(open_tasks, timeout=LINGER_S)
        for connection in tuple(self._connections.values()):
            connection.abort()
        await asyncio.wait(open_tasks, timeout=1.0)
