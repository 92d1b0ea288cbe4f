"""Request bodies, read whole up to a limit."""

from __future__ import annotations

import asyncio

from axonflow_contracts.errors import Fault
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

BODY_TIMEOUT_S = 60.0  # a body that drips in slower than this is given up (slowloris)


class ClientGone(Exception):
    """The caller hung up before its request was read; nobody is left to answer."""


async def read_body(source: Request | Receive, limit: int, *, timeout_s: float = BODY_TIMEOUT_S) -> bytes:
    """Read a request's body.

    Args:
        source: the request, whose ``Content-Length`` is then looked at before any reading, or its receive channel.
        limit: most bytes accepted; what was announced does not matter, what arrives is counted.
        timeout_s: longest time for the whole body.

    Raises:
        Fault: 413 above ``limit``, 408 when the body does not arrive in time.
        ClientGone: the caller hung up.
    """
    if isinstance(source, Request):
        announced = content_length(source.scope)
        if announced is not None and announced > limit:
            raise _too_large(limit)
        receive = source.receive
    else:
        receive = source
    try:
        async with asyncio.timeout(timeout_s):
            return await _collect(receive, limit)
    except TimeoutError as error:
        raise Fault(408, "Request body did not arrive in time", headers={"connection": "close"}) from error


async def _collect(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        if part:
            parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(limit: int) -> Fault:
    # The rest of the body is not read, so the connection cannot carry another request.
    return Fault(413, f"Request body is larger than {limit} bytes", headers={"connection": "close"})


def content_length(scope: Scope) -> int | None:
    """The announced length, if there is one that can be read."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else None
    return None


def replay(body: bytes, receive: Receive) -> Receive:
    """A receive channel that gives ``body`` once more, then whatever ``receive`` has: the hang-up."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again
