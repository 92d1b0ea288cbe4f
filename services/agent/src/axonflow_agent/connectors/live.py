"""Open connectors, kept for a while: bounded in number, closed when idle, replaced when their definition changes."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import msgspec
from axonflow_connectors import Connector, ConnectorFault, ConnectorRegistry, FaultKind
from axonflow_contracts.connectors import CREDENTIALS_PURPOSE, ConnectorDefinition
from axonflow_sealing import CannotOpen, Sealer, SealingContext, SealingUnavailable

from axonflow_agent.connectors.locking import ToolLocks

logger = logging.getLogger("axonflow.agent.connectors")

MOST_OPEN = 64
IDLE_S = 300.0
SWEEP_S = 30.0
_CANNOT_OPEN = "The credentials of this connector cannot be opened with the keys given"

Key = tuple[str, str, str]


@dataclasses.dataclass(slots=True)
class _Live:
    connector: Connector
    made_for: tuple[str, int]
    used_at: float
    users: int = 0
    retired: bool = False


@dataclasses.dataclass(slots=True)
class OpenCounters:
    """How openings went."""

    creations: int = 0
    failures: int = 0
    connection_errors: int = 0
    last_create: datetime | None = None


class LiveConnectors:
    """The open ones of a process.

    Args:
        registry: opens them, under the egress rules; every dial is checked anew.
        sealer: opens credentials, for the moment of opening a connector.
        locks: the tool lockfile, which connectors of upstream MCP servers are used under.
        most_open: connectors at a time; the one idle for longest goes first.
        idle_s: seconds without a call after which one is closed.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        registry: ConnectorRegistry,
        sealer: Sealer,
        locks: ToolLocks,
        *,
        most_open: int = MOST_OPEN,
        idle_s: float = IDLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry = registry
        self._sealer = sealer
        self._locks = locks
        self._most_open = most_open
        self._idle_s = idle_s
        self._clock = clock
        self._live: dict[Key, _Live] = {}
        self._opening = asyncio.Lock()  # opening dials nothing, so nobody waits long
        self._closing: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self.counters = OpenCounters()

    def __len__(self) -> int:
        return len(self._live)

    def start(self) -> None:
        """Begin to close what is idle."""
        self._sweeper = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Close everything; calls under way may fail."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait({self._sweeper})
        while self._live:
            await _closed(self._live.popitem()[1])
        if self._closing:
            await asyncio.wait(self._closing)

    @contextlib.asynccontextmanager
    async def using(self, org_id: str, definition: ConnectorDefinition) -> AsyncIterator[Connector]:
        """The connector, open for one call.

        Raises:
            ConnectorFault: it cannot be opened as it is defined, or too many are in use.
        """
        key = (org_id, definition.tenant_id, definition.name)
        async with self._opening:
            live = await self._current(key, org_id, definition)
            live.users += 1
        try:
            yield live.connector
        except ConnectorFault as fault:
            self.counters.connection_errors += fault.kind is FaultKind.UNREACHABLE
            raise
        finally:
            live.users -= 1
            live.used_at = self._clock()
            if live.retired and not live.users:
                await asyncio.shield(_closed(live))

    async def retire(self, org_id: str, tenant_id: str | None = None, name: str | None = None) -> None:
        """Close those of an organisation, a tenant, or one connector; what is in use ends first."""
        keys = [
            key for key in self._live if key[0] == org_id and tenant_id in {None, key[1]} and name in {None, key[2]}
        ]
        for key in keys:
            await self._drop(key)

    async def sweep(self) -> None:
        """Close what has been idle for too long."""
        limit = self._clock() - self._idle_s
        for key in [key for key, live in self._live.items() if not live.users and live.used_at <= limit]:
            await self._drop(key)

    async def _current(self, key: Key, org_id: str, definition: ConnectorDefinition) -> _Live:
        live, made_for = self._live.get(key), (definition.id, definition.version)
        if live is not None and live.made_for == made_for:
            return live
        if live is not None:
            self._drop_unawaited(key)
        self._make_room()
        try:
            connector = await self._open(org_id, definition)
        except ConnectorFault:
            self.counters.failures += 1
            raise
        self.counters.creations += 1
        self.counters.last_create = datetime.now(UTC)
        live = self._live[key] = _Live(connector, made_for, self._clock())
        return live

    async def _open(self, org_id: str, definition: ConnectorDefinition) -> Connector:
        credentials: dict[str, str] = {}
        if definition.credentials is not None:
            context = SealingContext(org_id, CREDENTIALS_PURPOSE, definition.id)
            try:
                opened = self._sealer.open(definition.credentials, context=context)
            except (CannotOpen, SealingUnavailable) as error:
                raise ConnectorFault(FaultKind.CONFIGURATION, _CANNOT_OPEN) from error
            credentials = msgspec.json.decode(opened, type=dict[str, str])
        try:
            connector = await self.registry.open(
                definition.type, org_id=org_id, options=definition.options, credentials=credentials
            )
        except KeyError as error:
            raise ConnectorFault(FaultKind.CONFIGURATION, "This release has no connector of this type") from error
        return self._locks.locked(connector, org_id, definition)

    def _make_room(self) -> None:
        if len(self._live) < self._most_open:
            return
        idle = [key for key, live in self._live.items() if not live.users]
        if not idle:
            raise ConnectorFault(FaultKind.UNREACHABLE, "Too many connectors are in use: try again")
        self._drop_unawaited(min(idle, key=lambda key: self._live[key].used_at))

    def _drop_unawaited(self, key: Key) -> None:
        """As `_drop`, but whoever opens another does not wait: a server may take its time to let go."""
        if live := self._retired(key):
            task = asyncio.create_task(_closed(live))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _drop(self, key: Key) -> None:
        if live := self._retired(key):
            await _closed(live)

    def _retired(self, key: Key) -> _Live | None:
        """Take one out; it is given back for closing, unless its last user does that."""
        live = self._live.pop(key, None)
        if live is None:
            return None
        live.retired = True
        return None if live.users else live

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            await self.sweep()


async def _closed(live: _Live) -> None:
    try:
        await live.connector.close()
    except Exception:
        logger.exception("a connector could not be closed in order")
