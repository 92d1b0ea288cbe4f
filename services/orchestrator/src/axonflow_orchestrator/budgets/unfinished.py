"""What could not be told PostgreSQL yet: settlements and releases, tried again until their time is over."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from axonflow_database import DatabaseUnavailable, Periodic

logger = logging.getLogger("axonflow.orchestrator.budgets")

RETRY_S = 1.0
MOST = 10_000
END_WAIT_S = 2.0

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class _Pending:
    work: Work
    until: float


class Unfinished:
    """Work that is done in the end, or left to the sweep of expired holds; it must bear being done twice.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pending: OrderedDict[str, _Pending] = OrderedDict()
        self._tasks: set[asyncio.Task[object]] = set()
        self._periodic = Periodic("unfinished settlements", self.again, every_s=RETRY_S)

    def __len__(self) -> int:
        return len(self._pending)

    def start(self) -> None:
        """Begin to try again."""
        self._periodic.start()

    async def close(self) -> None:
        """Try once more, and stop; what is left then is charged as estimated."""
        await self._periodic.close()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=END_WAIT_S)
        await self.again()
        if self._pending:
            logger.error("calls are left to be charged as estimated", extra={"calls": len(self._pending)})

    def spawn(self, work: Coroutine[object, object, object]) -> asyncio.Task[object]:
        """Run beside the request, whatever becomes of the request."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def add(self, key: str, work: Work, *, for_s: float) -> None:
        """Have ``work`` tried again for ``for_s`` seconds; later work under a key takes the place of earlier."""
        self._pending[key] = _Pending(work, self._clock() + for_s)
        while len(self._pending) > MOST:
            dropped, _ = self._pending.popitem(last=False)
            logger.error("too many calls wait to be settled: one is charged as estimated", extra={"hold": dropped})

    async def again(self) -> None:
        """Try what is pending, in order, until PostgreSQL turns out to be away."""
        for key, pending in list(self._pending.items()):
            try:
                await pending.work()
            except DatabaseUnavailable:
                self._forget_overdue()
                return
            except Exception:
                logger.exception("a call could not be settled: it is charged as estimated", extra={"hold": key})
            if self._pending.get(key) is pending:
                del self._pending[key]

    def _forget_overdue(self) -> None:
        for key, pending in list(self._pending.items()):
            if pending.until < self._clock():
                del self._pending[key]
                logger.error("a call was not settled in time: it is charged as estimated", extra={"hold": key})
