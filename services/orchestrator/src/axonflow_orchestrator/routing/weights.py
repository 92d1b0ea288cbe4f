"""How an organisation shares its calls among providers: set at run time, by the environment or by definitions.

What is set at run time is kept in PostgreSQL and followed; while it is away the last known goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
from axonflow_database import Database, Follower

from axonflow_orchestrator.routing import store
from axonflow_orchestrator.routing.ports import Configured

CHANNEL = "axonflow_llm_routing"
Scale = Literal["share", "weight"]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What one organisation set.

    Attributes:
        scale: ``share`` are parts of 1, of which those unnamed share the rest; ``weight`` is the scale of definitions,
            whose own weight counts for those unnamed.
    """

    scale: Scale
    weights: Mapping[str, float]


class Weights:
    """The weights in force.

    Args:
        database: where what was set is kept.
        configured: ``PROVIDER_WEIGHTS``.
    """

    def __init__(self, database: Database, configured: Mapping[str, float]) -> None:
        self._database = database
        self._configured = configured
        self._follower: Follower[dict[str, Kept]] = Follower(database, CHANNEL, self._load)

    async def start(self) -> None:
        """Read, then follow.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        await self._follower.start()

    async def close(self) -> None:
        """Stop following; what was read stays."""
        await self._follower.close()

    def changed(self, org_id: str, kept: Kept) -> None:
        """Act on a change made here at once; other replicas hear of it from the database."""
        current = self._follower.current
        if current is not None:
            current[org_id] = kept

    def are_shares(self, org_id: str) -> bool:
        """Whether an organisation set parts of 1."""
        kept = (self._follower.current or {}).get(org_id)
        return kept is not None and kept.scale == "share"

    def of(self, org_id: str, providers: Iterable[Configured]) -> dict[str, float]:
        """Each enabled provider's weight, by name, all on one scale."""
        kept = (self._follower.current or {}).get(org_id)
        return in_force([each for each in providers if each.enabled], self._configured, kept)

    async def _load(self) -> dict[str, Kept]:
        async with self._database.platform() as connection:
            rows = await store.read_all(connection)
        return {org_id: msgspec.convert({"scale": scale, "weights": weights}, Kept) for org_id, scale, weights in rows}


def in_force(providers: Iterable[Configured], configured: Mapping[str, float], kept: Kept | None) -> dict[str, float]:
    """The weight of each of ``providers``; pure."""
    found = {each.name: configured.get(each.name, float(each.weight)) for each in providers}
    if kept is None:
        return found
    if kept.scale == "weight":
        return {name: kept.weights.get(name, weight) for name, weight in found.items()}
    unnamed = [name for name in found if name not in kept.weights]
    rest = max(0.0, 1.0 - sum(kept.weights.values())) / len(unnamed) if unnamed else 0.0
    return {name: kept.weights.get(name, rest) for name in found}


def normalised(weights: Mapping[str, float]) -> dict[str, float]:
    """``weights`` as parts of 1; equal ones where all are 0."""
    total = sum(weights.values())
    if total <= 0:
        return {name: 1.0 / len(weights) for name in weights}
    return {name: weight / total for name, weight in weights.items()}
