"""Gives every governed request its decision id before anything can refuse it, and tells it to the caller."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from axonflow_contracts.verdicts import Plane
from axonflow_governance import Exchange
from axonflow_telemetry import TraceContext
from axonflow_web.access import TRACE
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EXCHANGE = "axonflow.exchange"
PlaneOf = Callable[[str], Plane | None]


class Correlation:
    """Outermost ASGI layer: an `Exchange` in the scope of governed paths, and both headers on their answers.

    It stands outside everything else so that a request refused for its framing carries the headers too.
    """

    def __init__(self, app: ASGIApp, plane_of: PlaneOf) -> None:
        self._app = app
        self._plane_of = plane_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request."""
        plane = self._plane_of(one_slash(scope["path"])) if scope["type"] == "http" else None
        if plane is None:
            await self._app(scope, receive, send)
            return
        decision_id = str(uuid.uuid4())
        scope[EXCHANGE] = (decision_id, plane, datetime.now(UTC), time.perf_counter())

        async def correlated(message: Message) -> None:
            if message["type"] == "http.response.start":
                trace: TraceContext = scope[TRACE]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-axonflow-decision-id", decision_id.encode()),
                    (b"x-axonflow-trace-id", trace.trace_id.encode()),
                ]
            await send(message)

        await self._app(scope, receive, correlated)


def one_slash(path: str) -> str:
    """``path`` as hygiene leaves it further in: a published SDK sends ``//v1/…``."""
    return path[1:] if path.startswith("//") else path


def is_governed(scope: Scope) -> bool:
    """Whether answers to this request carry a decision id, and so must leave a row."""
    return EXCHANGE in scope


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of a governed request."""
    decision_id, plane, received_at, started = scope[EXCHANGE]
    return Exchange(decision_id=decision_id, trace=scope[TRACE], plane=plane, received_at=received_at, started=started)
