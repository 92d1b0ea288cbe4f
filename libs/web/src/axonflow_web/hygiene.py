"""Refuses requests that two readers could understand differently, before anything else looks at them.

Framing and routing must mean the same to the server, to this service and to the service behind it
(RFC 9112 sections 5.2, 6.1 and 11.2; reliability cases 14 to 16).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from axonflow_contracts.errors import Fault
from starlette.types import ASGIApp, Receive, Scope, Send

from axonflow_web.faults import OnRefusal, SurfaceOf, fault_response

_log = logging.getLogger("axonflow.web")

SINGLE_VALUED = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"content-encoding",
        b"host",
        b"idempotency-key",
        b"origin",
        b"proxy-authorization",
        b"traceparent",
        b"transfer-encoding",
        b"x-admin-api-key",
        b"x-axonflow-internal-token",
        b"x-client-id",
        b"x-org-id",
        b"x-provider-key",
        b"x-tenant-id",
        b"x-user-email",
        b"x-user-id",
    }
)

# Tab is the one control character that a header value may hold (RFC 9110 §5.5).
_PRINTABLE = bytes(byte for byte in range(256) if byte == 9 or (byte >= 32 and byte != 127))

_QUERY = bytes(byte for byte in range(0x21, 0x7F) if byte != ord("#"))

_PATH_TRICK = re.compile(
    rb"""
      //                                # an empty segment
    | [\\;\#]                           # other readers' separators
    | /\.{1,2}(?:/|$)                   # a dot segment
    | %(?:25)*(?:2[eEfF]|5[cC]|3[bB]|[01][0-9a-fA-F]|7[fF])  # any of these encoded, also more than once
    | %(?![0-9a-fA-F]{2})               # a broken escape
    | [^\x21-\x7e]
    """,
    re.VERBOSE,
)


class RequestHygiene:
    """Outermost ASGI middleware; a refusal is a 400 in the surface's envelope and closes the connection.

    Args:
        app: what is protected.
        surface_of: path to surface, for the envelope.
        drop: says which headers from outside are removed (identity is stamped by the agent, never taken).
        on_refusal: told of each refusal before it is answered, so that a service can write its audit row.
    """

    def __init__(
        self,
        app: ASGIApp,
        surface_of: SurfaceOf,
        *,
        drop: Callable[[bytes], bool] | None = None,
        on_refusal: OnRefusal | None = None,
    ) -> None:
        self._app = app
        self._surface_of = surface_of
        self._drop = drop
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a clean request on; refuse any other."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1002, "reason": "not offered here"})
            return
        try:
            _one_slash(scope)
            refuse_path(scope)
            refuse_headers(scope["headers"])
        except Fault as fault:
            await self._refuse(fault, scope, receive, send)
            return
        drop = self._drop
        if drop is not None:
            scope["headers"] = [pair for pair in scope["headers"] if pair[0][:2] != b"x-" or not drop(pair[0])]
        await self._app(scope, receive, send)

    async def _refuse(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if self._on_refusal is not None:
            try:
                await self._on_refusal(scope, fault)
            except Exception:  # noqa: BLE001 - whatever keeps the record from being written, the answer is the same
                _log.exception("a refusal could not be recorded")
                fault = Fault(503, "Service temporarily unavailable")
        # What follows on this connection may be the other half of a smuggled request.
        fault.headers["connection"] = "close"
        await fault_response(self._surface_of(scope["path"]), fault)(scope, receive, send)


def _one_slash(scope: Scope) -> None:
    """Collapse a leading ``//``: a published SDK joins its base URL and its paths so."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    if raw_path[:2] == b"//":
        scope["raw_path"] = raw_path[1:]
        scope["path"] = scope["path"][1:]


def refuse_path(scope: Scope) -> None:
    """Raise a `Fault` for a target that is not a plain absolute path with a query.

    Raises:
        Fault: 400.
    """
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    if raw_path[:1] != b"/":
        raise Fault(400, "The request target must be an absolute path")
    if _PATH_TRICK.search(raw_path) is not None or "\ufffd" in scope["path"]:
        raise Fault(400, "The request path holds an escape, a separator or a segment that is not allowed")
    if scope["query_string"].translate(None, _QUERY):
        raise Fault(400, "The query holds a character that must be escaped")


def refuse_headers(headers: list[tuple[bytes, bytes]]) -> None:
    """Raise a `Fault` for headers that could be read in two ways.

    Raises:
        Fault: 400.
    """
    names = [name for name, _ in headers]
    if b"_" in b"".join(names):
        raise Fault(400, "A header name holds an underscore")
    if b"".join([value for _, value in headers]).translate(None, _PRINTABLE):
        raise Fault(400, "A header value holds a control character")
    single = [name for name in names if name in SINGLE_VALUED]
    if len(set(single)) != len(single):
        raise Fault(400, "A header that may stand once stands twice")
    if b"transfer-encoding" in single and b"content-length" in single:
        raise Fault(400, "Content-Length and Transfer-Encoding exclude each other")
