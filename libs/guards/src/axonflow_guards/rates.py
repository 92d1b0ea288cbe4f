"""Calls a minute, by client, over all replicas: permits are leased from Postgres some at a time, not one a call.

A lease shrinks as the minute's permits run out, so that little is left unused on a replica with few calls. While
Postgres is away each process grants up to the whole limit by itself: a limit is a courtesy to the deployment, and
refusing everybody would be worse.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from axonflow_database import Database, DatabaseUnavailable

from axonflow_guards.store import lease_permits

WINDOW = timedelta(minutes=1)
LEASE_SHARE = 10  # a lease takes a tenth of what is left
LEASE_WAIT_S = 0.5  # how long a call waits for Postgres before its process counts by itself


def utc_now() -> datetime:
    """The wall clock; replicas must agree on it to within a few seconds."""
    return datetime.now(UTC)


@dataclasses.dataclass(frozen=True, slots=True)
class Admission:
    """Whether a call may go on, and what the caller is told of its limit.

    Attributes:
        limit: calls a minute.
        remaining: calls that this minute may still bring, as far as this replica knows.
        reset_at: when the next minute begins.
        retry_after_s: whole seconds until then, at least 1.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_at: datetime
    retry_after_s: int


@dataclasses.dataclass(slots=True)
class _Window:
    """What this process knows of one client's minute."""

    start: datetime
    held: int = 0  # permits leased and not yet used
    used: int = 0
    left: int = -1  # permits that nobody had leased at the last lease; -1 before the first
    lock: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)


class RateLimiter:
    """Fixed windows of a minute; one for a process.

    Args:
        database: where replicas meet.
        clock: gives the time in UTC; a test's may stand still.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._clock = clock
        self._minute = datetime.min.replace(tzinfo=UTC)
        self._windows: dict[tuple[str, str], _Window] = {}  # of that minute
        self._late: set[asyncio.Task[int]] = set()

    async def admit(self, org_id: str, client_id: str, limit: int) -> Admission | None:
        """Count one call of a client, and say whether it is within ``limit`` calls a minute.

        None means that the client has no limit (``limit`` is 0), which costs nothing. Never raises because of
        Postgres.
        """
        if limit <= 0:
            return None
        now = self._clock()
        window = self._window((org_id, client_id), now.replace(second=0, microsecond=0))
        if window.held == 0 and window.left != 0:
            async with window.lock:  # those who come together wait for one lease
                while window.held == 0 and window.left != 0:
                    await self._lease(window, org_id, client_id, limit)
                allowed = _use(window)
        else:
            allowed = _use(window)
        reset_at = window.start + WINDOW
        retry_after_s = max(1, -int((now - reset_at).total_seconds() // 1))
        return Admission(allowed, limit, max(0, window.held + max(0, window.left)), reset_at, retry_after_s)

    def _window(self, key: tuple[str, str], start: datetime) -> _Window:
        if start != self._minute:
            self._minute, self._windows = start, {}
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window(start)
        return window

    async def _lease(self, window: _Window, org_id: str, client_id: str, limit: int) -> None:
        ask = max(1, (limit if window.left < 0 else window.left) // LEASE_SHARE)
        total = await self._leased(org_id, client_id, window.start, ask)
        if total is None:
            window.held, window.left = max(0, limit - window.used), 0
        else:
            window.held = max(0, min(ask, limit - (total - ask)))
            window.left = max(0, limit - total)

    async def _leased(self, org_id: str, client_id: str, start: datetime, ask: int) -> int | None:
        # Not cancelled when it is late: ending a statement can itself wait for a server that does not answer.
        task = asyncio.create_task(self._lease_from_database(org_id, client_id, start, ask))
        self._late.add(task)
        task.add_done_callback(self._forget)
        await asyncio.wait({task}, timeout=LEASE_WAIT_S)
        if not task.done():
            return None
        try:
            return task.result()
        except DatabaseUnavailable:
            return None

    async def _lease_from_database(self, org_id: str, client_id: str, start: datetime, ask: int) -> int:
        async with self._database.tenant(org_id) as connection:
            return await lease_permits(connection, org_id, client_id, start, ask)

    def _forget(self, task: asyncio.Task[int]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that a late failure is not reported as forgotten


def _use(window: _Window) -> bool:
    if window.held == 0:
        return False
    window.held -= 1
    window.used += 1
    return True
