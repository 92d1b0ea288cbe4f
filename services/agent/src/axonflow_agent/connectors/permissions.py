"""Who may use which connector: the client by its row, and the person behind the call by their token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault
from starlette.requests import Request

from axonflow_agent.auth.rights import holds

UNAUTHORIZED = "Unauthorized connector access"
# What a client row says that lists no permission at all: everything of its own tenant.
Permissions = Callable[[str], Iterable[str]]


_FAMILY = "/api/v1/connectors"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_CHANGING = "connector:write"


def permit(caller: Caller, client_permissions: Iterable[str], connector: str, operation: str) -> None:
    """Refuse a call on a connector that the client or its user may not make.

    ``*`` and ``admin`` open everything, ``mcp_query`` every read and ``mcp_execute`` every write; a connector's name
    opens both sides of it, ``name:query`` and ``name:execute`` one. A client without a list is not restricted, a
    person without one may use nothing.

    Raises:
        Fault: 403.
    """
    if caller.kind is CallerKind.SERVICE:
        return
    client, user = set(client_permissions), set(caller.user.permissions)
    for held, restricted in ((client, bool(client)), (user, bool(caller.user.id))):
        if restricted and not _opened_by(connector, operation) & held:
            if any(word.partition(":")[0] == connector for word in held):
                raise Fault(
                    403, f"Permission denied: service {caller.client_id} connector {connector} operation {operation}"
                )
            raise Fault(403, UNAUTHORIZED)


def guarding_changes(
    enter: Callable[[Request], Awaitable[Caller]], permissions: Permissions
) -> Callable[[Request], Awaitable[Caller]]:
    """``enter``, and besides the right to change connectors where a forwarded call would change one.

    ``*``, ``admin`` and ``connector:write`` give it; a client without a list has it, a person without one has not.
    """

    async def entered(request: Request) -> Caller:
        caller = await enter(request)
        path = request.url.path
        changes = request.method not in _READING and (path == _FAMILY or path.startswith(f"{_FAMILY}/"))
        if changes and not holds(caller, permissions(caller.client_id), _CHANGING):
            raise Fault(403, f"Permission denied: connectors are changed with {_CHANGING}")
        return caller

    return entered


def _opened_by(connector: str, operation: str) -> set[str]:
    return {"*", "admin", f"mcp_{operation}", connector, f"{connector}:*", f"{connector}:{operation}"}
