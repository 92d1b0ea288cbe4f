"""One log line a request, and the trace that everything inside it belongs to.

Header values, bodies and queries are never logged.
"""

from __future__ import annotations

import logging
from time import perf_counter

from axonflow_telemetry import TraceContext, trace_scope
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TRACE = "axonflow.trace"
CLIENT_CLOSED = 499  # what logs call a caller that hung up before its answer
_QUIET = frozenset({"/health", "/ready", "/metrics", "/prometheus"})

_log = logging.getLogger("axonflow.access")


class AccessLog:
    """Puts a `TraceContext` into ``scope["axonflow.trace"]`` and logs the request when its answer has ended.

    Probes and scrapes are logged at debug level.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, then say so."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace = TraceContext.from_headers(_traceparent(scope))
        scope[TRACE] = trace
        status = CLIENT_CLOSED
        began = perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with trace_scope(trace.trace_id):
                await self._app(scope, receive, watched)
        finally:
            level = logging.DEBUG if scope["path"] in _QUIET else logging.INFO
            if _log.isEnabledFor(level):
                facts = {
                    "method": scope["method"],
                    "path": path_template(scope),
                    "status": status,
                    "duration_ms": round((perf_counter() - began) * 1000, 2),
                    "trace_id": trace.trace_id,
                }
                _log.log(level, "request", extra=facts)


def path_template(scope: Scope) -> str:
    """The template of the route that was taken, or the path when none was."""
    template: str | None = getattr(scope.get("route"), "path", None)
    return scope["path"] if template is None else template


def _traceparent(scope: Scope) -> str | None:
    found: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"traceparent":
            if found is not None:
                return None  # two parents are none (W3C Trace Context §3.2.1)
            found = value
    return None if found is None else found.decode("latin-1")
