"""Applications behind the product's own server in this process, and a client that sends bytes as a test wrote them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from axonflow_web.hypercorn_server import HypercornServer
from axonflow_web.lifespan import Lifespan
from axonflow_web.serve import Server, bind
from axonflow_web.uvicorn_server import UvicornServer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SERVERS = ("hypercorn", "uvicorn")


@contextlib.asynccontextmanager
async def served(
    app: ASGIApp, *, server: str = "hypercorn", refused: Callable[[str], None] = lambda _reason: None
) -> AsyncIterator[int]:
    """The port on which ``app`` is served while the block runs."""
    lifespan = Lifespan(app)
    await lifespan.start()
    listener = bind("127.0.0.1", 0)
    running: Server = (
        HypercornServer(app, lifespan.state, refused) if server == "hypercorn" else UvicornServer(app, lifespan.state)
    )
    await running.start(listener)
    try:
        yield listener.getsockname()[1]
    finally:
        await running.stop_accepting()
        await running.finish(2.0)
        await lifespan.stop()


async def exchange(port: int, *parts: bytes, wait_s: float = 10.0) -> bytes:
    """Send bytes on a connection of their own; everything that comes back until the server closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(wait_s):
            return await _all(reader)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _all(reader: asyncio.StreamReader) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := await reader.read(65_536):
            received += part
    return received


def status_of(answer: bytes) -> int:
    """The status of the first answer in ``answer``."""
    return int(answer.split(b" ", 2)[1])


def body_of(answer: bytes) -> bytes:
    """What follows the first head in ``answer``."""
    return answer.split(b"\r\n\r\n", 1)[1]


def plain_app(handle: Callable[[Scope, Receive, Send], Awaitable[None]]) -> ASGIApp:
    """An ASGI application of one function, with an empty lifespan."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await handle(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    return app


def http_scope(method: str = "GET", path: str = "/", headers: list[tuple[bytes, bytes]] | None = None) -> Scope:
    """A scope as the server makes it."""
    target, _, query = path.partition("?")
    return {
        "type": "http",
        "method": method,
        "path": target,
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "headers": headers or [],
        "client": ("127.0.0.1", 50_000),
        "scheme": "http",
        "http_version": "1.1",
    }


async def call(app: ASGIApp, scope: Scope, *body: bytes) -> list[Message]:
    """What ``app`` sends for one request, without a server."""
    parts: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in body]
    parts.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Message] = []

    async def receive() -> Message:
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent
