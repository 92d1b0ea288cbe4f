"""The operator's levers, as the agent announces them for each family of planes."""

from __future__ import annotations

from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Plane
from axonflow_database import Database
from axonflow_governance import store

GATEWAY, MCP = "GATEWAY", "MCP"


def family_of(plane: Plane) -> str:
    """Whose levers a plane is judged under."""
    return MCP if plane is Plane.MCP else GATEWAY


async def posture_of(
    database: Database, plane: Plane, fallback: Posture | None = None
) -> tuple[Posture, tuple[str, ...]]:
    """The levers in force for a plane; where none are announced, ``fallback``'s, and a word about that.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer.
    """
    family = family_of(plane)
    async with database.platform() as connection:
        found = await store.announced_posture(connection, family)
    if found is not None:
        return found, ()
    if fallback is not None:
        return fallback, (f"no agent has announced its {family} levers: those of the record are used",)
    return Posture(mode=family), (f"no agent has announced its {family} levers: none are assumed",)
