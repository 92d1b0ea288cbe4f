"""Equal reports one after the other: whoever comes second learns that the first was taken, database or not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

# Contexts last five minutes; a retry comes within seconds.
_REMEMBERED = 10_000


class Once:
    """The reports that this process has taken lately; other replicas' are found in the database."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._taken: dict[str, None] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def turn(self, audit_id: str) -> AsyncIterator[bool]:
        """Wait for equal reports under way; gives whether one was taken. What the block raises counts as not taken."""
        lock = self._turns.get(audit_id)
        if lock is None:
            lock = self._turns[audit_id] = asyncio.Lock()
        async with lock:
            yield audit_id in self._taken
            self._taken[audit_id] = None
            if len(self._taken) > self._remembered:
                self._taken.pop(next(iter(self._taken)))
