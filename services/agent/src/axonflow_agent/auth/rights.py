"""Whether a caller may change what others depend on: the client by its row, and the person behind the call."""

from __future__ import annotations

from collections.abc import Iterable

from axonflow_contracts.caller import Caller

_EVERYTHING = frozenset({"*", "admin"})


def holds(caller: Caller, client_permissions: Iterable[str], right: str) -> bool:
    """Whether ``right``, ``admin`` or ``*`` is given; a client without a list has it, a person without one has not."""
    wanted = _EVERYTHING | {right}
    client = set(client_permissions)
    if client and not client & wanted:
        return False
    return not caller.user.id or not wanted.isdisjoint(caller.user.permissions)
