"""Data that a pre-check may hand out with its approval; connectors are plugged in here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from axonflow_contracts.caller import Caller

from axonflow_agent.governed import Call

# Either of these opens every source; without them a user needs the name of the source itself.
ANY_SOURCE = frozenset({"mcp_query", "*"})


class Fetched(msgspec.Struct, frozen=True):
    """What sources gave.

    Attributes:
        data: ``rows``, ``row_count``, ``duration_ms`` and ``cached`` by source.
        skipped: a word of ours for each source that gave nothing; for the row, the caller is not told.
    """

    data: Mapping[str, Any] = msgspec.field(default_factory=dict)
    skipped: Mapping[str, str] = msgspec.field(default_factory=dict)


class DataSources(Protocol):
    """Reads from connectors on behalf of a caller."""

    async def fetch(self, call: Call, sources: tuple[str, ...], query: str) -> Fetched:
        """What each source gave; one that is unknown or fails is left out, and nothing is raised (contract §1.5)."""
        ...


class NoSources:
    """No connector is installed: every name is unknown."""

    async def fetch(self, call: Call, sources: tuple[str, ...], query: str) -> Fetched:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return Fetched()


def permitted(caller: Caller, sources: tuple[str, ...]) -> tuple[str, ...]:
    """The sources that the user behind the call may read."""
    held = set(caller.user.permissions)
    return sources if held & ANY_SOURCE else tuple(name for name in sources if name in held)
