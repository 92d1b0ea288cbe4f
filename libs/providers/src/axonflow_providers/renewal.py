"""Something that expires, such as an access token: kept, and fetched anew before its end, by one caller at a time."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from axonflow_providers.protocol import FaultKind, ProviderFault

T = TypeVar("T")

# So long before its end a value is fetched anew; what remains bridges an outage of whoever gives it.
EARLY_S = 300.0
# With less than this left it may expire on the way.
_TOO_LATE_S = 15.0
# While the old value lasts, calls are not held up for longer by whoever gives it, nor each of them.
_PATIENCE_S = 3.0
_PAUSE_S = 30.0


@dataclasses.dataclass(frozen=True, slots=True)
class Expiring(Generic[T]):
    """A value, and the moment of ``time.time()`` from which it is worth nothing."""

    value: T
    expires_at_s: float


class Renewed(Generic[T]):
    """The one current value."""

    def __init__(
        self, fetch: Callable[[float], Awaitable[Expiring[T]]], clock: Callable[[], float] = time.time
    ) -> None:
        """Nothing is fetched yet.

        Args:
            fetch: gets a new value within the seconds given; raises ``ProviderFault``.
            clock: seconds since the epoch.
        """
        self._fetch = fetch
        self._clock = clock
        self._held: Expiring[T] | None = None
        self._failed_at_s = float("-inf")
        self._turn = asyncio.Lock()

    async def get(self, timeout_s: float) -> T:
        """The value, fetched if need be; one that still lasts a while outlives a failure to fetch the next.

        Raises:
            ProviderFault: as ``fetch`` does, or ``UNREACHABLE`` when it took too long: nothing was asked of a model.
        """
        held = self._lasting(_TOO_LATE_S)
        if held is None:
            return await self._renewed(timeout_s)
        if self._lasting(EARLY_S) or self._turn.locked() or self._clock() - self._failed_at_s < _PAUSE_S:
            return held.value
        try:
            return await self._renewed(min(timeout_s, _PATIENCE_S))
        except ProviderFault:
            self._failed_at_s = self._clock()
            return held.value

    async def _renewed(self, timeout_s: float) -> T:
        before = self._held
        try:
            async with asyncio.timeout(timeout_s), self._turn:
                if self._held is None or self._held is before:  # else somebody has fetched it meanwhile
                    self._held = await self._fetch(timeout_s)
                return self._held.value
        except TimeoutError:
            raise ProviderFault(FaultKind.UNREACHABLE, "The credentials could not be renewed in time") from None

    def forget(self, value: T) -> None:
        """Drop ``value`` if it is still the current one: it was refused before its time."""
        if self._held is not None and self._held.value == value:
            self._held = None

    def _lasting(self, seconds: float) -> Expiring[T] | None:
        held = self._held
        return held if held is not None and held.expires_at_s - self._clock() > seconds else None
