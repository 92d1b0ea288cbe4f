"""A local model provider that records exactly what it received and answers as a test tells it to."""

from __future__ import annotations

import dataclasses
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}


def completion(
    text: str = "Hello.", model: str = "gpt-4o-mini-2024-07-18", usage: dict[str, Any] | None = None
) -> bytes:
    """A chat completion in the provider's form, spaced unusually so that re-encoding would show."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": USAGE if usage is None else usage,
    }
    return json.dumps(body, indent=3).encode()


@dataclasses.dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes


Respond = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Records a request, then lets the upstream's current behaviour answer it."""

    protocol_version = "HTTP/1.1"
    received: Received

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        body = self.rfile.read(length)
        self.received = Received("POST", self.path, list(self.headers.items()), body)
        upstream: Upstream = self.server.upstream  # type: ignore[attr-defined]
        with upstream.lock:
            upstream.received.append(self.received)
        upstream.respond(self)

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is part of some tests."""


class Upstream:
    """The running provider; ``received`` grows as requests come in."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.lock = threading.Lock()
        self.respond: Respond = ok()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.upstream = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def reset(self) -> None:
        with self.lock:
            self.received.clear()
        self.respond = ok()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def ok(body: bytes | None = None, headers: dict[str, str] | None = None, delay_s: float = 0.0) -> Respond:
    """A success, after ``delay_s``."""
    text = completion() if body is None else body

    def respond(handler: Handler) -> None:
        if delay_s:
            time.sleep(delay_s)
        handler.answer(200, text, headers)

    return respond


def status(code: int, body: bytes, headers: dict[str, str] | None = None) -> Respond:
    """A refusal by the provider."""
    return lambda handler: handler.answer(code, body, headers)


def raw(data: bytes, *, then_close: bool = True, hold_s: float = 0.0) -> Respond:
    """Bytes on the wire that need not be HTTP at all."""

    def respond(handler: Handler) -> None:
        handler.wfile.write(data)
        handler.wfile.flush()
        time.sleep(hold_s)
        if then_close:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)

    return respond


def endless(chunk: bytes = b"x" * 65_536, limit_bytes: int = 64 << 20) -> Respond:
    """A body far larger than any gateway should read."""

    def respond(handler: Handler) -> None:
        handler.send_response_only(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(limit_bytes))
        handler.end_headers()
        sent = 0
        try:
            while sent < limit_bytes:
                handler.wfile.write(chunk)
                sent += len(chunk)
        except OSError:
            handler.close_connection = True

    return respond


@contextmanager
def running_upstream() -> Iterator[Upstream]:
    """An upstream for as long as the block runs."""
    upstream = Upstream()
    try:
        yield upstream
    finally:
        upstream.close()
