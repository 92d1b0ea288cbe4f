"""The one place that starts a server: open late, drain on a signal, end within a stated time.

One process is one replica. Nothing here knows what is served.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import signal
import socket
from collections.abc import Callable, MutableMapping
from typing import Any, Protocol

from axonflow_settings import ServiceSettings
from starlette.types import ASGIApp

from axonflow_web.connection import Refused
from axonflow_web.hypercorn_server import BACKLOG, HypercornServer
from axonflow_web.lifecycle import Lifecycle, Stage
from axonflow_web.lifespan import Lifespan
from axonflow_web.refusals import StartRefused
from axonflow_web.uvicorn_server import UvicornServer

CLOSING_SHARE = 0.2  # of the drain time, kept for audit log and pool
LEAST_CLOSING_S = 1.0
GC_THRESHOLDS = (50_000, 20, 50)  # measured: with freeze, p99 45 to 29 ms

_log = logging.getLogger("axonflow.web")


class Server(Protocol):
    """What `serve` needs of a server."""

    async def start(self, listener: socket.socket) -> None:
        """Open the listener."""

    async def stop_accepting(self) -> None:
        """Close the listener; requests under way go on."""

    async def finish(self, timeout_s: float) -> int:
        """Wait for requests under way; return how many had to be cut."""


async def serve(
    app: ASGIApp,
    settings: ServiceSettings,
    *,
    lifecycle: Lifecycle | None = None,
    refused: Refused | None = None,
    listening: Callable[[int], None] | None = None,
) -> None:
    """Run ``app`` until SIGTERM or SIGINT, then drain it.

    Order: bind the port (so that a taken one is told at once), the application's lifespan start, freeze the heap,
    open the listener. On the signal: ``lifecycle`` says draining, no new connection is accepted, requests under
    way get four fifths of ``settings.drain_s``; the lifespan's end, and whatever the calling task closes after this
    returns, get the rest (at least a second), then that task is cancelled. A second signal cuts the requests at once.

    Args:
        app: the ASGI application.
        settings: host, port, server and drain time are read.
        lifecycle: told of each stage, for ``/ready``.
        refused: told why the HTTP server refused a request before ``app`` saw it.
        listening: called with the port when the listener is open.

    Raises:
        StartRefused: the port is taken, the address is not ours, or the server is not installed.
        Exception: whatever the application's start raised.
    """
    lifecycle = lifecycle or Lifecycle()
    listener = bind(settings.host, settings.port)
    try:
        lifespan = Lifespan(app)
        server = _server(app, settings.server, lifespan.state, refused or _nobody)
        await lifespan.start()
        calm_garbage_collection()
        stop = _signals()
        try:
            await _open(server, listener, settings)
        except BaseException:
            await lifespan.stop()
            raise
        port = listener.getsockname()[1]
    except BaseException:
        listener.close()
        raise
    lifecycle.stage = Stage.SERVING
    _log.info("listening", extra={"host": settings.host, "port": port, "server": settings.server})
    if listening is not None:
        listening(port)
    await stop.first.wait()
    lifecycle.stage = Stage.DRAINING
    await _drain(server, lifespan, settings.drain_s, stop.second)


def _nobody(reason: str) -> None:
    """Nobody counts refusals."""


def _server(app: ASGIApp, name: str, state: MutableMapping[str, Any], refused: Refused) -> Server:
    return UvicornServer(app, state) if name == "uvicorn" else HypercornServer(app, state, refused)


def bind(host: str, port: int) -> socket.socket:
    """A socket that holds the address but does not listen yet.

    Raises:
        StartRefused: with a sentence for the operator.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setblocking(False)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise _refusal(error, host, port) from error
    return listener


async def _open(server: Server, listener: socket.socket, settings: ServiceSettings) -> None:
    try:
        listener.listen(BACKLOG)
    except OSError as error:  # two processes may bind; only one may listen
        raise _refusal(error, settings.host, settings.port) from error
    await server.start(listener)


def _refusal(error: OSError, host: str, port: int) -> StartRefused:
    if error.errno == errno.EADDRINUSE:
        return StartRefused(f"port {port} on {host} is taken: stop what listens there, or choose another with PORT")
    if error.errno == errno.EACCES:
        return StartRefused(f"port {port} on {host} may not be opened by this user: choose one above 1023 with PORT")
    return StartRefused(f"{host}:{port} cannot be opened ({error.strerror}): set HOST and PORT to an address of ours")


def calm_garbage_collection() -> None:
    """Take what a start has made out of the collector's way, and let it run less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


class _signals:  # noqa: N801 - used as a call
    """The first signal asks for a drain, the second cuts it short."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._received)

    def _received(self) -> None:
        (self.second if self.first.is_set() else self.first).set()


async def _drain(server: Server, lifespan: Lifespan, drain_s: float, hurry: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + drain_s
    _log.info("draining", extra={"drain_s": drain_s})
    await server.stop_accepting()
    hurried = asyncio.create_task(hurry.wait())
    finished = asyncio.create_task(server.finish(drain_s * (1 - CLOSING_SHARE)))
    await asyncio.wait({hurried, finished}, return_when=asyncio.FIRST_COMPLETED)
    if not finished.done():
        finished.cancel()
        await asyncio.wait({finished})
        finished = asyncio.create_task(server.finish(0))
        await asyncio.wait({finished})
    hurried.cancel()
    if cut := finished.result():
        _log.warning("requests were cut at the end of the drain time", extra={"requests": cut})
    closing_s = max(ends_at - loop.time(), LEAST_CLOSING_S)
    _end_at_the_latest_in(closing_s)
    await lifespan.stop()
    _log.info("ended")


def _end_at_the_latest_in(closing_s: float) -> None:
    """Cut the task that serves, in whatever it closes after its last request, when the stated time is over."""
    task = asyncio.current_task()
    assert task is not None, "serve() runs in a task"  # noqa: S101 - always so under asyncio
    told = f"could not close everything in time: {closing_s:.1f} s were left of the drain time"
    asyncio.get_running_loop().call_later(closing_s, task.cancel, told)
