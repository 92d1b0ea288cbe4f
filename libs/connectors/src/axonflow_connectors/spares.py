"""A few idle connections, so that calls in a row need not dial each time; each dial is checked, none is kept long."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

ConnectionT = TypeVar("ConnectionT")

MOST_OPEN = 4
IDLE_S = 60.0  # after that the name is resolved and checked anew


class Spares(Generic[ConnectionT]):
    """At most ``MOST_OPEN`` connections at a time; one that failed is dropped."""

    def __init__(
        self,
        dial: Callable[[], Awaitable[ConnectionT]],
        clean: Callable[[ConnectionT], Awaitable[bool]],
        drop: Callable[[ConnectionT], Awaitable[None]],
    ) -> None:
        self._dial = dial
        self._clean = clean
        self._drop = drop
        self._free = asyncio.Semaphore(MOST_OPEN)
        self._idle: list[tuple[float, ConnectionT]] = []
        self._closed = False

    @contextlib.asynccontextmanager
    async def take(self) -> AsyncIterator[ConnectionT]:
        """A connection for one call: an idle one that is young and can be cleaned, else a new one.

        It is kept only if the call ended well. What the call or the dialling raises passes through.
        """
        async with self._free:
            connection = await self._young() or await self._dial()
            try:
                yield connection
            except BaseException:
                await asyncio.shield(self._drop(connection))
                raise
            if self._closed:
                await self._drop(connection)
            else:
                self._idle.append((time.monotonic(), connection))

    async def _young(self) -> ConnectionT | None:
        while self._idle:
            since, connection = self._idle.pop()
            try:
                usable = time.monotonic() - since < IDLE_S and await self._clean(connection)
            except BaseException:  # the time is over while it is cleaned
                await asyncio.shield(self._drop(connection))
                raise
            if usable:
                return connection
            await self._drop(connection)
        return None

    async def close(self) -> None:
        """Drop what is idle; what is in use is dropped when its call ends."""
        self._closed = True
        while self._idle:
            await self._drop(self._idle.pop()[1])
