"""Faults become answers here, once, in the envelope of the surface that was asked."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import msgspec
from axonflow_contracts.errors import Fault, Surface, envelope
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from axonflow_web.body import ClientGone

SurfaceOf = Callable[[str], Surface]
OnRefusal = Callable[[Scope, Fault], Awaitable[None]]

_encode = msgspec.json.Encoder().encode
_log = logging.getLogger("axonflow.web")


def fault_response(surface: Surface, fault: Fault) -> Response:
    """The answer to a fault on ``surface``."""
    headers = {name.lower(): value for name, value in fault.headers.items()}
    return Response(
        _encode(envelope(surface, fault)), status_code=fault.status, headers=headers, media_type="application/json"
    )


class FaultBoundary:
    """Turns a `Fault` into its envelope, an unknown route into a JSON 404 or 405, and a bug into a 500.

    A 500 hides its cause from the client and logs it. What goes wrong after an answer has begun cuts the
    connection, so that the client cannot mistake half an answer for a whole one.
    """

    def __init__(
        self,
        app: ASGIApp,
        surface_of: SurfaceOf,
        routes: Sequence[BaseRoute] = (),
        *,
        on_unrouted: OnRefusal | None = None,
    ) -> None:
        self._app = app
        self._surface_of = surface_of
        self._routes = routes
        self._on_unrouted = on_unrouted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application inside the boundary."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - this is where every bug ends
            if started:
                _log.error("an answer broke off", exc_info=error)
                return
            await self._answer(error, scope, receive, send)

    async def _answer(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if isinstance(error, Fault):
            response = fault_response(self._surface_of(path), error)
            if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and error.__cause__ is not None:
                _log.warning("answered %s: %s", error.status, error.message, exc_info=error.__cause__)
        elif isinstance(error, HTTPException):
            fault = _unrouted(error, scope["method"], allowed_methods(self._routes, scope))
            if self._on_unrouted is not None:
                await self._on_unrouted(scope, fault)
            response = fault_response(Surface.UNROUTED, fault)
        else:
            _log.error("a request failed on a bug", exc_info=error)
            response = fault_response(self._surface_of(path), Fault(500, "Internal server error"))
        await response(scope, receive, send)


def _unrouted(error: HTTPException, method: str, allowed: set[str]) -> Fault:
    # The route that refused knows its own methods; other routes may take others on the same path.
    known = (error.headers or {}).get("Allow", "")
    methods = sorted(allowed | {name.strip() for name in known.split(",") if name.strip()})
    missing = error.status_code == HTTPStatus.NOT_FOUND
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED or (missing and methods and method not in methods):
        return Fault(405, "The method is not allowed here", headers={"allow": ", ".join(methods)})
    if missing:
        return Fault(404, "There is no such endpoint")
    return Fault(error.status_code, error.detail, headers=error.headers)


def allowed_methods(routes: Sequence[BaseRoute], scope: Scope) -> set[str]:
    """Every method that some route takes on this path: a path may be spread over several routes (RFC 9110 §10.2.1)."""
    methods: set[str] = set()
    for route in routes:
        if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return methods
