"""Puts a service's routes and the middleware that all services share together, in the one right order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from axonflow_web.access import AccessLog
from axonflow_web.faults import FaultBoundary, OnRefusal, SurfaceOf
from axonflow_web.hygiene import RequestHygiene
from axonflow_web.security import API_HEADERS, SecurityHeaders

HotPaths = Mapping[tuple[str, str], ASGIApp]


def application(
    routes: Sequence[BaseRoute],
    *,
    surface_of: SurfaceOf,
    lifespan: Lifespan[ASGIApp] | None = None,
    hot: HotPaths | None = None,
    guard: Callable[[ASGIApp], ASGIApp] | None = None,
    drop: Callable[[bytes], bool] | None = None,
    on_refusal: OnRefusal | None = None,
    headers: Mapping[str, str] = API_HEADERS,
) -> ASGIApp:
    """A service: access log → security headers → hygiene → fault boundary → ``guard`` → routes.

    Args:
        routes: the URL table.
        surface_of: path to surface, for every error envelope.
        lifespan: opens and closes what the routes need; run by `serve`.
        hot: (method, path) to an ASGI app that is called before the routes are searched (40 µs over 41 routes).
        guard: wraps the routes in the service's own middleware, inside the fault boundary.
        drop: which headers from outside are removed.
        on_refusal: told of each request that hygiene refuses, and of each that no route takes.
        headers: security headers of answers that set none themselves.
    """
    inner: ASGIApp = _Dispatch(Router(routes, redirect_slashes=False, lifespan=lifespan), hot or {})
    if guard is not None:
        inner = guard(inner)
    app: ASGIApp = FaultBoundary(inner, surface_of, routes, on_unrouted=on_refusal)
    app = RequestHygiene(app, surface_of, drop=drop, on_refusal=on_refusal)
    return AccessLog(SecurityHeaders(app, headers))


class _Dispatch:
    """Finds the hot paths by a look-up, the others by Starlette's router."""

    def __init__(self, router: Router, hot: HotPaths) -> None:
        self._router = router
        self._hot = hot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["app"] = self._router  # makes the router raise its 404 and 405 instead of writing plain text
            found = self._hot.get((scope["method"], scope["path"]))
            if found is not None:
                await found(scope, receive, send)
                return
        await self._router(scope, receive, send)
