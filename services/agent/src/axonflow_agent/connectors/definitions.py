"""Definitions in memory, per organisation and tenant: fetched on demand, stale at each announced change.

While the orchestrator is away the last known definitions go on; what was never read is unknown.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from axonflow_contracts.connectors import ConnectorDefinition
from axonflow_contracts.errors import Fault

from axonflow_agent.connectors.fetching import DefinitionsUnavailable

logger = logging.getLogger("axonflow.agent.connectors")

FRESH_S = 30.0
RETRY_S = 1.0
MOST_TENANTS = 1_000
NOT_INITIALIZED = "MCP registry not initialized"

Tenant = tuple[str, str]


class Source(Protocol):
    """Whoever owns the definitions."""

    async def fetch(self, org_id: str, tenant_id: str) -> Mapping[str, ConnectorDefinition]:
        """A tenant's connectors by name; raises `DefinitionsUnavailable`."""
        ...


@dataclasses.dataclass(slots=True)
class Counters:
    """What the cache did, for its statistics."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    last_eviction: datetime | None = None

    @property
    def hit_rate_percent(self) -> float:
        """Share of look-ups that asked nobody."""
        asked = self.hits + self.misses
        return round(100 * self.hits / asked, 2) if asked else 0.0


@dataclasses.dataclass(slots=True)
class _Held:
    definitions: Mapping[str, ConnectorDefinition]
    revision: int
    fresh_until: float


class Definitions:
    """The cache.

    Args:
        source: whom to ask.
        revision: a number that grows with every announced change.
        clock: monotonic seconds.
    """

    def __init__(
        self, source: Source, revision: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._revision = revision
        self._clock = clock
        self._held: OrderedDict[Tenant, _Held] = OrderedDict()
        self._asking: dict[Tenant, asyncio.Lock] = {}
        self.counters = Counters()

    def __len__(self) -> int:
        return sum(len(held.definitions) for held in self._held.values())

    def cached(self, org_id: str, tenant_id: str | None) -> int:
        """How many connectors of a tenant, or of all tenants of an organisation, are held."""
        return sum(len(self._held[key].definitions) for key in self._of(org_id, tenant_id))

    async def of(self, org_id: str, tenant_id: str) -> Mapping[str, ConnectorDefinition]:
        """A tenant's connectors by name.

        Raises:
            Fault: 503, they were never read and cannot be now.
        """
        key = (org_id, tenant_id)
        held = self._fresh(key)
        if held is not None:
            self.counters.hits += 1
            return held.definitions
        lock = self._asking.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                held = self._fresh(key)
                if held is None:
                    self.counters.misses += 1
                    held = await self._read(key)
                else:
                    self.counters.hits += 1
                return held.definitions
        finally:
            if not lock.locked():
                self._asking.pop(key, None)

    def evict(self, org_id: str, tenant_id: str | None) -> int:
        """Have the next look-up ask again; what is held stays for the case that nobody answers."""
        keys = self._of(org_id, tenant_id)
        for key in keys:
            self._held[key].revision = -1
        count = sum(len(self._held[key].definitions) for key in keys)
        self.counters.evictions += count
        self.counters.last_eviction = datetime.now(UTC)
        return count

    def _of(self, org_id: str, tenant_id: str | None) -> list[Tenant]:
        return [key for key in self._held if key[0] == org_id and tenant_id in {None, key[1]}]

    def _fresh(self, key: Tenant) -> _Held | None:
        held = self._held.get(key)
        if held is None or held.revision != self._revision() or self._clock() >= held.fresh_until:
            return None
        self._held.move_to_end(key)
        return held

    async def _read(self, key: Tenant) -> _Held:
        # Looked at first: a change that is announced meanwhile makes the answer stale again.
        revision = self._revision()
        try:
            definitions = await self._source.fetch(*key)
        except DefinitionsUnavailable as error:
            known = self._held.get(key)
            if known is None:
                raise Fault(503, NOT_INITIALIZED, headers={"Retry-After": "1"}) from error
            logger.warning("connector definitions cannot be re-read: the last known go on (%s)", error)
            known.revision, known.fresh_until = revision, self._clock() + RETRY_S
            return known
        held = self._held[key] = _Held(definitions, revision, self._clock() + FRESH_S)
        self._held.move_to_end(key)
        while len(self._held) > MOST_TENANTS:
            self._held.popitem(last=False)
        return held
