"""Which web pages may call a service from a browser (Fetch standard, CORS protocol), by a list of origins."""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANY_ORIGIN = "*"
_EXPOSED = b"x-axonflow-decision-id, x-axonflow-trace-id, retry-after"
_METHODS = b"GET, POST, PUT, PATCH, DELETE, OPTIONS"
_MAX_AGE_S = b"600"
# Of a preflight's own list; longer ones are no list of header names that any client has.
_LONGEST_REQUEST_HEADERS = 1_000


class Cors:
    """Outermost ASGI middleware: answers preflights of listed origins, and lets those origins read answers.

    Credentials of the browser's own are never allowed: clients send theirs in ``Authorization``. A preflight of any
    other origin goes on inwards, where it is one more wrong method.

    Args:
        app: what is protected.
        origins: such as ``https://console.example``; ``*`` lists them all, none lists nobody.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._any = ANY_ORIGIN in origins
        self._origins = frozenset(origin.encode("latin-1") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, with the browser's headers where it comes from a listed page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = [(name, value) for name, value in scope["headers"] if name == b"origin" or name[:8] == b"access-c"]
        origins = [value for name, value in asked if name == b"origin"]
        if len(origins) != 1 or not (self._any or origins[0] in self._origins):
            await self._app(scope, receive, send)
            return
        shown = ANY_ORIGIN.encode() if self._any else origins[0]
        if scope["method"] == "OPTIONS" and any(name == b"access-control-request-method" for name, _ in asked):
            await _preflight(shown, dict(asked), send)
            return

        async def readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"access-control-allow-origin", shown),
                    (b"access-control-expose-headers", _EXPOSED),
                    (b"vary", b"origin"),
                ]
            await send(message)

        await self._app(scope, receive, readable)


async def _preflight(origin: bytes, asked: dict[bytes, bytes], send: Send) -> None:
    headers = [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-max-age", _MAX_AGE_S),
        (b"vary", b"origin, access-control-request-headers"),
    ]
    wanted = asked.get(b"access-control-request-headers", b"")[:_LONGEST_REQUEST_HEADERS]
    if wanted and not wanted.translate(None, _LIST):
        headers.append((b"access-control-allow-headers", wanted))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


_LIST = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_, "
