"""The connectors of this process: their definitions, their live side, and how they did when last looked at."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from axonflow_connectors import Connector, ConnectorFault, ConnectorSpec, Health
from axonflow_contracts.connectors import CHANNEL, ConnectorDefinition
from axonflow_contracts.errors import Fault
from axonflow_database import Database, Follower

from axonflow_agent.connectors.definitions import NOT_INITIALIZED, Definitions, Source
from axonflow_agent.connectors.live import LiveConnectors

CONNECTOR_NOT_FOUND = "Connector not found"
LOOK_FRESH_S = 10.0
LOOKS_AT_ONCE = 8
MOST_LOOKS = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """What a look at a connector found, and when."""

    health: Health
    checked_at: datetime
    taken: float


class ConnectorRuntime:
    """Definitions and connections under one roof.

    Args:
        source: whom to ask for definitions.
        live: open connectors.
        database: announces changes of definitions.
        enabled: false where the operator switched connectors off.
    """

    def __init__(self, source: Source, live: LiveConnectors, database: Database, *, enabled: bool = True) -> None:
        counter = itertools.count(1)

        async def announced() -> int:
            return next(counter)

        self._changes: Follower[int] = Follower(database, CHANNEL, announced)
        self.definitions = Definitions(source, lambda: self._changes.current or 0)
        self.live = live
        self.enabled = enabled
        self._looks: dict[tuple[str, str, str], Look] = {}
        self._looking = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def start(self) -> None:
        """Follow changes, and begin to close what is idle.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        await self._changes.start()
        self.live.start()

    async def close(self) -> None:
        """Stop following and close every connector."""
        await self._changes.close()
        await self.live.close()

    async def all(self, org_id: str, tenant_id: str) -> Mapping[str, ConnectorDefinition]:
        """A tenant's connectors by name.

        Raises:
            Fault: 503.
        """
        if not self.enabled:
            raise Fault(503, NOT_INITIALIZED)
        return await self.definitions.of(org_id, tenant_id)

    async def one(self, org_id: str, tenant_id: str, name: str) -> ConnectorDefinition:
        """A connector by name, or the only one of a type.

        Raises:
            Fault: 404, 503.
        """
        known = await self.all(org_id, tenant_id)
        if name in known:
            return known[name]
        of_type = [definition for definition in known.values() if definition.type == name]
        if len(of_type) != 1:
            raise Fault(404, CONNECTOR_NOT_FOUND)
        return of_type[0]

    @contextlib.asynccontextmanager
    async def using(self, org_id: str, definition: ConnectorDefinition) -> AsyncIterator[Connector]:
        """The connector, open for one call.

        Raises:
            ConnectorFault: it cannot be opened.
        """
        async with self.live.using(org_id, definition) as connector:
            yield connector

    def spec(self, definition: ConnectorDefinition) -> ConnectorSpec | None:
        """What its type is; None for a type that this release does not have."""
        try:
            return self.live.registry.spec(definition.type)
        except KeyError:
            return None

    async def look(self, org_id: str, definition: ConnectorDefinition) -> Look:
        """How a connector does, seen at most some seconds ago; never raises a `ConnectorFault`."""
        key = (org_id, definition.tenant_id, definition.name)
        known = self._looks.get(key)
        if known is not None and time.monotonic() - known.taken < LOOK_FRESH_S:
            return known
        async with self._looking:
            try:
                async with self.live.using(org_id, definition) as connector:
                    health = await connector.health()
            except ConnectorFault as fault:
                health = Health(healthy=False, latency_ms=0.0, error=fault.message)
        if len(self._looks) >= MOST_LOOKS:
            self._looks.clear()
        found = self._looks[key] = Look(health, datetime.now(UTC), time.monotonic())
        return found

    @property
    def seen(self) -> list[Look]:
        """The last look at each connector that was looked at."""
        return list(self._looks.values())

    async def refresh(self, org_id: str, tenant_id: str | None, name: str | None) -> int:
        """Forget what is held of an organisation, a tenant or one connector; how many definitions that were."""
        count = self.definitions.evict(org_id, tenant_id)
        await self.live.retire(org_id, tenant_id, name)
        for key in list(self._looks):
            if key[0] == org_id and tenant_id in {None, key[1]} and name in {None, key[2]}:
                del self._looks[key]
        return count
