"""One HTTP/1.1 connection: hypercorn's protocol inside a transport loop of ours.

hypercorn's own loop (0.18) waits for ever when an answer is sent before a long body was read, has no deadline for
request heads, creates two tasks a request for its idle timer and upgrades to h2c when asked. h11 unfolds folded
headers and merges equal Content-Length lines before anyone can refuse them. All of that ends here.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import h11
from h11._receivebuffer import ReceiveBuffer  # the one place where the lines of a head can be seen as they came
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.typing import ConnectionState
from starlette.types import ASGIApp, Message, Scope

KEEP_ALIVE_S = 75.0  # longer than load balancers and client pools keep a connection, so they never lose the race
HEAD_TIMEOUT_S = 15.0  # from a request's first byte to the end of its headers
STALLED_WRITE_S = 60.0  # a client that reads nothing for so long is gone
LINGER_S = 2.0  # after a last answer: time for it to be read before unread input resets the connection
MAX_HEAD_BYTES = 96 * 1024  # a 64 KiB credential is answered 401 by the service, not 431 here
_READ_BYTES = 64 * 1024
_QUEUED_MESSAGES = 10

Refused = Callable[[str], None]
_log = logging.getLogger("axonflow.web")


class _Heads(ReceiveBuffer):
    """Refuses heads that h11 would mend: RFC 9112 §5.2 (folding) and §6.3 (repeated Content-Length)."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """The lines of a head, once it is complete."""
        lines = super().maybe_extract_lines()
        if lines is not None:
            if any(line.startswith((b" ", b"\t")) for line in lines):
                raise h11.LocalProtocolError("folded header line")
            if sum(line[:15].lower() == b"content-length:" for line in lines) > 1:
                raise h11.LocalProtocolError("repeated Content-Length")
        return lines


class _Protocol(H11Protocol):
    """hypercorn's HTTP/1.1 without upgrades to HTTP/2, with a body and a count for its own refusals."""

    def __init__(self, refused: Refused, *args: Any) -> None:
        super().__init__(*args)
        self._refused = refused
        self.connection._receive_buffer = _Heads()  # type: ignore[union-attr] # noqa: SLF001 - see _Heads

    async def _check_protocol(self, event: h11.Request) -> None:
        """Offer HTTP/1.1 only; the upgrade header is ignored, as RFC 9110 §7.8 allows."""

    async def _send_error_response(self, status_code: int) -> None:
        self._refused({431: "head_too_large", 501: "transfer_coding"}.get(status_code, "malformed"))
        body = b'{"error":"bad_request","error_description":"The server cannot read this HTTP request"}'
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *self.config.response_headers("h11"),
        ]
        await self._send_h11_event(h11.Response(status_code=status_code, headers=headers))
        await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


class Inbox:
    """The messages of one request: bounded while the application reads, never in the way when it has stopped."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Message] = asyncio.Queue()
        self._room = asyncio.Event()
        self._closed = False

    async def put(self, message: Message) -> None:
        """Queue a message; body parts wait for room, a hang-up does not."""
        if message["type"] == "http.request":
            while self._queue.qsize() >= _QUEUED_MESSAGES and not self._closed:
                self._room.clear()
                await self._room.wait()
        if not self._closed:
            self._queue.put_nowait(message)

    async def get(self) -> Message:
        """The next message; a hang-up is told again to everyone who asks."""
        message = await self._queue.get()
        self._room.set()
        if message["type"] == "http.disconnect":
            self._queue.put_nowait(message)
        return message

    def close(self) -> None:
        """The application has ended: whatever still comes is dropped."""
        self._closed = True
        self._room.set()


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """What all connections of a server share.

    Attributes:
        app: the service.
        config: hypercorn's.
        context: hypercorn's; its ``terminated`` event ends keep-alive.
        state: what the application's lifespan yielded.
        running: the tasks of requests under way.
        refused: told why the server refused a request itself.
    """

    app: ASGIApp
    config: Config
    context: WorkerContext
    state: MutableMapping[str, Any]
    running: set[asyncio.Task[None]]
    refused: Refused


class Connection:
    """Serves one client until it leaves, breaks the protocol or runs out of time."""

    def __init__(self, site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._site, self._reader, self._writer = site, reader, writer
        self._loop = asyncio.get_running_loop()
        self._deadline: asyncio.TimerHandle | None = None
        self._in_request = False
        self._head_begun = False
        self._leaving = False
        client, server = _address(writer.get_extra_info("peername")), _address(writer.get_extra_info("sockname"))
        state = ConnectionState(dict(site.state))
        self._protocol = _Protocol(
            site.refused, site.app, site.config, site.context, self, state, False, client, server, self._handle
        )

    async def run(self) -> None:
        """Serve until the end of the connection."""
        self._expire_in(KEEP_ALIVE_S)
        try:
            while data := await self._reader.read(_READ_BYTES):
                if self._leaving:
                    continue  # lingering: read and forget
                if not self._in_request and not self._head_begun:
                    self._head_begun = True
                    self._expire_in(HEAD_TIMEOUT_S)
                await self._protocol.handle(RawData(data))
            await self._protocol.handle(Closed())
        except OSError:
            await self._protocol.handle(Closed())
        finally:
            self._expire_in(None)
            self._writer.close()

    def end_if_idle(self) -> None:
        """Close now unless a request is under way; one that is closes the connection when it is answered."""
        if not self._in_request:
            self._writer.close()

    def abort(self) -> None:
        """Close now, whatever is under way."""
        self._writer.transport.abort()

    async def spawn_app(self, app: ASGIApp, config: Config, scope: Scope, send: Send) -> Put:  # noqa: ARG002
        """Start a request's task; hypercorn's protocol calls this on its task group, which we are."""
        inbox = Inbox()
        task = self._loop.create_task(self._serve(scope, inbox, send))
        self._site.running.add(task)
        task.add_done_callback(self._site.running.discard)
        return inbox.put

    async def _serve(self, scope: Scope, inbox: Inbox, send: Send) -> None:
        try:
            await self._site.app(scope, inbox.get, send)
        except asyncio.CancelledError:
            self.abort()  # cut at the end of a drain: no answer, rather than one that no audit row stands for
            raise
        except Exception:  # noqa: BLE001 - the last resort; the fault boundary answers first
            _log.exception("the application let an exception out")
        finally:
            inbox.close()
            await send(None)

    async def _handle(self, event: Event) -> None:
        if isinstance(event, RawData):
            await self._write(event.data)
        elif isinstance(event, Closed):
            self._leave()
        elif isinstance(event, Updated):
            self._in_request = not event.idle
            self._head_begun = False
            self._expire_in(KEEP_ALIVE_S if event.idle else None)

    async def _write(self, data: bytes) -> None:
        if self._writer.transport.is_closing():
            await self._protocol.handle(Closed())
            await asyncio.sleep(0)  # or an application that never waits would not hear of it
            return
        try:
            self._writer.write(data)
            if self._writer.transport.get_write_buffer_size():
                async with asyncio.timeout(STALLED_WRITE_S):
                    await self._writer.drain()
        except TimeoutError:
            self._site.refused("stalled_reader")
            self._writer.transport.abort()
        except (ConnectionError, RuntimeError):
            await self._protocol.handle(Closed())

    def _leave(self) -> None:
        if self._leaving:
            return
        self._leaving = True
        self._expire_in(LINGER_S)
        try:
            self._writer.write_eof()
        except (OSError, RuntimeError, NotImplementedError):
            self._writer.close()

    def _expire_in(self, timeout_s: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if timeout_s is None else self._loop.call_later(timeout_s, self._expire)

    def _expire(self) -> None:
        if self._head_begun and not self._leaving:
            self._site.refused("slow_head")
        self._writer.close()


Send = Callable[[Message | None], Awaitable[None]]
Put = Callable[[Message], Awaitable[None]]


def _address(name: Any) -> tuple[str, int] | None:
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) and len(name) >= 2 else None
