"""Data that a pre-check may hand out with its approval; connectors are plugged in here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from axonflow_contracts.caller import Caller

# Either of these opens every source; without them a user needs the name of the source itself.
ANY_SOURCE = frozenset({"mcp_query", "*"})


class DataSources(Protocol):
    """Reads from connectors on behalf of a caller."""

    async def fetch(self, caller: Caller, sources: tuple[str, ...], query: str) -> Mapping[str, Any]:
        """What each source gave: ``rows``, ``row_count``, ``duration_ms``, ``cached``.

        A source that is unknown or fails is left out; nothing is raised (agent contract §1.5).
        """
        ...


class NoSources:
    """No connector is installed: every name is unknown."""

    async def fetch(
        self,
        caller: Caller,  # noqa: ARG002 - as the protocol names it
        sources: tuple[str, ...],  # noqa: ARG002
        query: str,  # noqa: ARG002
    ) -> Mapping[str, Any]:
        """Nothing."""
        return {}


def permitted(caller: Caller, sources: tuple[str, ...]) -> tuple[str, ...]:
    """The sources that the user behind the call may read."""
    held = set(caller.user.permissions)
    return sources if held & ANY_SOURCE else tuple(name for name in sources if name in held)
