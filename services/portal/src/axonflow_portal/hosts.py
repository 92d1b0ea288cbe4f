"""Which `Host` a request may name: loopback, or what the operator allowed.

The portal has no sign-in yet. A page on another site could point its own name at 127.0.0.1 (DNS rebinding) and read
it as same-origin; it cannot make the browser send a loopback name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# They say whether the process is well and nothing else, and probes call them by whatever address they know.
OPEN_PATHS = frozenset({"/health", "/ready"})


def host_name(header: str) -> str:
    """The name or address in a ``Host`` header, lower-case, without port and brackets; "" when it is not one."""
    if not header or any(char in header for char in "/?#@\\ ,"):
        return ""
    try:
        name = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
    return name.rstrip(".")


def is_loopback(name: str) -> bool:
    """Whether ``name`` is ``localhost`` or a loopback address."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class LoopbackHosts:
    """ASGI middleware that answers 421 (RFC 9110 §15.5.20) to a host that is neither loopback nor allowed."""

    def __init__(self, app: ASGIApp, allowed: Sequence[str] = ()) -> None:
        self._app = app
        self._allowed = frozenset(host_name(entry) for entry in allowed) - {""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, or refuse its host."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or self._admits(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        await PlainTextResponse(REFUSAL, status_code=421)(scope, receive, send)

    def _admits(self, headers: Headers) -> bool:
        named = headers.getlist("host")
        if len(named) != 1:
            return False
        name = host_name(named[0])
        return is_loopback(name) or name in self._allowed


REFUSAL = (
    "The portal has no sign-in yet, so it answers only to loopback names such as localhost and 127.0.0.1.\n"
    "To open it under another name, list that name in AXONFLOW_PORTAL_ALLOWED_HOSTS and start the portal again;\n"
    "whoever reaches that name can then read the policies.\n"
)
