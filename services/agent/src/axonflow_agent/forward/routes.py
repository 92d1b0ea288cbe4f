"""The forwarded paths as one entry of the agent's URL table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from axonflow_contracts.caller import Caller
from starlette.datastructures import URLPath
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from axonflow_agent.forward.allowlist import Allowlist, Entry, default_allowlist
from axonflow_agent.forward.forwarder import Forwarder

Authenticate = Callable[[Request], Awaitable[Caller]]
_ENTRY = "axonflow.forward"


def routes(
    forwarder: Forwarder, authenticate: Authenticate, allowlist: Allowlist | None = None
) -> list[BaseRoute]:  # fmt: skip
    """What to put behind the agent's own routes, which are matched first.

    Args:
        forwarder: carries requests on.
        authenticate: who calls; its faults are rendered on the flat surface (see `is_forwarded`).
        allowlist: the table as it is shipped, unless a test brings another.
    """
    return [ForwardRoute(allowlist or default_allowlist(), forwarder, authenticate)]


class ForwardRoute(BaseRoute):
    """Matches what the allow-list holds; a path that it does not hold is not there."""

    def __init__(self, allowlist: Allowlist, forwarder: Forwarder, authenticate: Authenticate) -> None:
        self._allowlist = allowlist
        self._forwarder = forwarder
        self._authenticate = authenticate

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for an allowed method, partial for another one."""
        if scope["type"] != "http":
            return Match.NONE, {}
        entry = self._allowlist.find(scope["raw_path"].decode("latin-1"))
        if entry is None:
            return Match.NONE, {}
        allowed = scope["method"] in entry.methods or scope["method"] == "OPTIONS"
        return (Match.FULL if allowed else Match.PARTIAL), {_ENTRY: entry, "route": entry}

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        """No forwarded path has a name here.

        Raises:
            NoMatchFound: always.
        """
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate, then forward.

        Raises:
            HTTPException: 405 for a method that the path does not take.
            Fault: from authentication, or because the target cannot be reached.
        """
        entry: Entry = scope[_ENTRY]
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"allow": _allow(entry)})(scope, receive, send)
            return
        if scope["method"] not in entry.methods:
            raise HTTPException(405, headers={"Allow": _allow(entry)})
        request = Request(scope, receive)
        caller = await self._authenticate(request) if entry.needs_caller else None
        await self._forwarder.forward(request, entry, caller, send)


def _allow(entry: Entry) -> str:
    return ", ".join(sorted(entry.methods | {"OPTIONS"}))


_SHIPPED = default_allowlist()


def is_forwarded(path: str) -> bool:
    """Whether errors on ``path`` are the forwarder's: ``{"error": "text"}``, plus ``service`` when one is down."""
    return _SHIPPED.find(path) is not None
