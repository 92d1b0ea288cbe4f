"""The optional server behind ``AXONFLOW_SERVER=uvicorn``: a parser in C, at half the CPU per request.

It has no deadline for request heads and does not count its own refusals; a proxy in front should do both.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import socket
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Receive, Scope, Send

from axonflow_web.connection import KEEP_ALIVE_S, MAX_HEAD_BYTES
from axonflow_web.hypercorn_server import BACKLOG
from axonflow_web.refusals import StartRefused

if TYPE_CHECKING:
    import uvicorn


class UvicornServer:
    """Serves ``app`` on a bound socket; signals and lifespan stay with `serve`."""

    def __init__(self, app: ASGIApp, state: MutableMapping[str, Any]) -> None:
        if importlib.util.find_spec("uvicorn") is None or importlib.util.find_spec("httptools") is None:
            raise StartRefused("AXONFLOW_SERVER=uvicorn, but `pip install uvicorn httptools` has not been run")
        self._app = app
        self._state = state
        self._running: set[asyncio.Task[None]] = set()
        self._server: uvicorn.Server | None = None
        self._loop_task: asyncio.Task[None] | None = None

    async def start(self, listener: socket.socket) -> None:
        """Open the listener."""
        self._server = _uvicorn_server(self._counted)
        self._loop_task = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started and not self._loop_task.done():  # noqa: ASYNC110 - uvicorn has only a flag
            await asyncio.sleep(0.01)
        if self._loop_task.done():
            await self._loop_task

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._state:
            scope["state"] = dict(self._state)
        task = asyncio.current_task()
        assert task is not None, "ASGI runs in a task"  # noqa: S101 - always so under asyncio
        self._running.add(task)
        try:
            await self._app(scope, receive, send)
        finally:
            self._running.discard(task)

    async def stop_accepting(self) -> None:
        """Close the listener; requests under way go on."""
        if self._server is not None:
            for server in self._server.servers:
                server.close()

    async def finish(self, timeout_s: float) -> int:
        """Wait for requests under way, cut the rest.

        Returns:
            How many requests were cut.
        """
        if self._running:
            await asyncio.wait(set(self._running), timeout=timeout_s)
        cut = list(self._running)
        for task in cut:
            task.cancel()
        if self._server is not None and self._loop_task is not None:
            self._server.should_exit = True
            await asyncio.wait({self._loop_task}, timeout=3.0)
        return len(cut)


def _uvicorn_server(app: ASGIApp) -> uvicorn.Server:
    import uvicorn

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Server(
        uvicorn.Config(
            app,
            interface="asgi3",
            http=_plain_targets(),
            ws="none",
            lifespan="off",
            proxy_headers=False,  # X-Forwarded-For from outside is nobody's address
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=int(KEEP_ALIVE_S),
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        )
    )


def _plain_targets() -> type[asyncio.Protocol]:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class PlainTargets(HttpToolsProtocol):
        def on_headers_complete(self) -> None:
            # Its parser drops host and fragment of a target without a word; hygiene would never see them.
            if self.url[:1] != b"/" or b"#" in self.url:
                raise ValueError("the request target is not an absolute path")
            super().on_headers_complete()

    return PlainTargets
