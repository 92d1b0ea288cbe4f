"""How much of its inputs each tenant has kept: the operator's variable is the ceiling, and what holds where none asks.

What a tenant or its organisation asked for is followed as overrides are: in force on every replica within a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from axonflow_contracts.recording import InputMode
from axonflow_database import Database, Follower

from axonflow_governance import store
from axonflow_governance.inputs import InputSealer

CHANNEL = "axonflow_recording"


class Modes(Protocol):
    """Who wants how much kept; looks in memory only."""

    def of(self, org_id: str, tenant_id: str) -> InputMode:
        """The mode in force for a tenant."""
        ...


class OneMode:
    """The same for everybody."""

    def __init__(self, mode: InputMode) -> None:
        self._mode = mode

    def of(self, _org_id: str, _tenant_id: str) -> InputMode:
        """That mode."""
        return self._mode


class TenantModes:
    """Follows what tenants asked for.

    Args:
        database: where it is.
        ceiling: ``AXONFLOW_RECORD_INPUT``.
    """

    def __init__(self, database: Database, ceiling: InputMode) -> None:
        self._database = database
        self._ceiling = ceiling
        self._follower: Follower[Mapping[tuple[str, str], InputMode]] = Follower(database, CHANNEL, self._load)

    async def start(self) -> None:
        """Read once, then follow.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        await self._follower.start()

    async def close(self) -> None:
        """Stop following."""
        await self._follower.close()

    def of(self, org_id: str, tenant_id: str) -> InputMode:
        """The tenant's own word, else its organisation's, else the operator's; never above the operator's."""
        return mode_of(self._follower.current or {}, org_id, tenant_id, self._ceiling)

    async def _load(self) -> Mapping[tuple[str, str], InputMode]:
        async with self._database.platform() as connection:
            return await store.recording_modes(connection)


def mode_of(asked: Mapping[tuple[str, str], InputMode], org_id: str, tenant_id: str, ceiling: InputMode) -> InputMode:
    """The mode in force where ``asked`` holds what was written, by organisation and tenant."""
    if not asked:
        return ceiling
    found = asked.get((org_id, tenant_id)) or asked.get((org_id, ""))
    return ceiling if found is None else found.within(ceiling)


class Recording:
    """What a governor needs to keep inputs: who wants what, and the key.

    Args:
        modes: who wants how much.
        sealer: seals; None where nothing is ever sealed.
    """

    def __init__(self, modes: Modes, sealer: InputSealer | None = None) -> None:
        self._modes = modes
        self.sealer = sealer

    def mode_of(self, org_id: str, tenant_id: str) -> InputMode:
        """The mode in force; what cannot be sealed is kept redacted."""
        mode = self._modes.of(org_id, tenant_id)
        return mode.within(InputMode.REDACTED) if self.sealer is None else mode
