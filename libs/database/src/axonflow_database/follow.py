"""A value that a process holds in memory and the database may change: announced by NOTIFY, polled, swapped whole.

A failed reload keeps the value that is loaded; how long it has not been confirmed is told as its age.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from axonflow_database.database import Database
from axonflow_database.errors import DatabaseUnavailable
from axonflow_database.periodic import ended

logger = logging.getLogger("axonflow.database.follow")

T = TypeVar("T")
POLL_S = 1.0
SELECT_REVISION = "SELECT revision FROM revisions WHERE name = %s"


class Follower(Generic[T]):
    """Keeps ``current`` in step with what ``load`` reads.

    Args:
        database: where it is read from.
        name: row of ``revisions`` and NOTIFY channel, both written by the table's trigger.
        load: reads the whole value; what it raises leaves the old one in force.
        poll_s: seconds between looks at the revision, in case a notification is lost.
    """

    def __init__(
        self, database: Database, name: str, load: Callable[[], Awaitable[T]], *, poll_s: float = POLL_S
    ) -> None:
        self._database = database
        self._name = name
        self._load = load
        self._poll_s = poll_s
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._revision = -1
        self._value: T | None = None
        self._confirmed = time.monotonic()

    @property
    def current(self) -> T | None:
        """The value in force, or None before the first load."""
        return self._value

    @property
    def age_s(self) -> float:
        """Seconds since the value was last known to be what the database holds."""
        return time.monotonic() - self._confirmed

    async def start(self) -> None:
        """Load once, then follow.

        Raises:
            Exception: whatever the first load raises; nothing runs then.
        """
        await self._refresh()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._follow())]

    async def close(self) -> None:
        """Stop following; the value stays."""
        await ended(self._tasks)
        self._tasks = []

    async def _listen(self) -> None:
        async for _ in self._database.listen(self._name):
            self._wake.set()

    async def _follow(self) -> None:
        reachable = True
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._refresh()
                reachable = True
            except DatabaseUnavailable as error:
                if reachable:
                    logger.warning("%s cannot be re-read: the loaded value stays in force (%s)", self._name, error)
                reachable = False
            except Exception:
                logger.exception("%s could not be reloaded: the old value stays in force", self._name)

    async def _refresh(self) -> None:
        # The revision is read first: a change that falls between is seen by the next look, never missed.
        async with self._database.platform() as connection:
            row = await (await connection.execute(SELECT_REVISION, (self._name,))).fetchone()
        revision = int(row[0]) if row else 0
        if revision != self._revision:
            self._value = await self._load()
            self._revision = revision
        self._confirmed = time.monotonic()
