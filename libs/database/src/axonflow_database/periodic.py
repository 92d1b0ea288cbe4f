"""Work that is done again and again beside the requests, and ended for certain when a service stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from axonflow_database.errors import DatabaseUnavailable

logger = logging.getLogger("axonflow.database.periodic")

_CLOSE_WAIT_S = 0.1


class Periodic:
    """Does ``work`` every ``every_s`` seconds, first after one such time; a failure is logged and tried again then.

    Args:
        name: what is done, for the log.
        work: one round.
        every_s: seconds between the end of a round and the next.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[object]], *, every_s: float) -> None:
        self._name = name
        self._work = work
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop; a round under way is cut off."""
        if self._task is not None:
            await ended([self._task])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._work()
            except DatabaseUnavailable as error:
                logger.warning("%s: PostgreSQL does not answer (%s)", self._name, error)
            except Exception:
                logger.exception("%s: failed", self._name)


async def ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they are over: the driver forgets a cancellation that falls while it connects."""
    while pending := {task for task in tasks if not task.done()}:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_CLOSE_WAIT_S)
