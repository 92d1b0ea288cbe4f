"""What this process knows of each provider while it is asked: its circuit, retries, calls in flight, speed.

Kept by the provider's id, so that all who share a provider share what is known of it; what an organisation may read
of it are its own counts alone.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterable
from datetime import datetime

from axonflow_providers import ProviderConfig

from axonflow_orchestrator.routing.breaker import Breaker, Thresholds
from axonflow_orchestrator.routing.ports import Configured
from axonflow_orchestrator.routing.retrying import RetryBudget, RetryRules

_NEWEST_SHARE = 0.2
_SPEED_HOLDS_S = 300.0  # a speed measured longer ago says nothing, so that a provider once slow is tried again
_MOST_STANDINGS, _MOST_TALLIES = 10_000, 20_000


class Standing:
    """One provider, as long as its configuration stays the same.

    Attributes:
        busy: calls in flight.
    """

    def __init__(
        self,
        config: ProviderConfig,
        thresholds: Thresholds,
        retries: RetryRules,
        most_at_once: int,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.config = config
        self.breaker = Breaker(thresholds, clock)
        self.budget = RetryBudget(retries)
        self.busy = 0
        self._slots = asyncio.Semaphore(most_at_once)
        self._clock = clock
        self._limited_until = 0.0
        self._speed_ms: float | None = None
        self._measured_at = 0.0

    async def enter(self, wait_s: float) -> bool:
        """Take one of the places for calls in flight; False where none became free in time."""
        try:
            async with asyncio.timeout(wait_s):
                await self._slots.acquire()
        except TimeoutError:
            return False
        self.busy += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.busy -= 1
        self._slots.release()

    @property
    def limited(self) -> bool:
        """Whether it, or its own limit, said to come back later."""
        return self._clock() < self._limited_until

    def limit_for(self, seconds: float) -> None:
        """Prefer others for a while."""
        self._limited_until = max(self._limited_until, self._clock() + seconds)

    def measured(self, latency_ms: float) -> None:
        """Take a call's duration into its speed; not for calls that failed at once, which say nothing of it."""
        known = self.speed_ms
        self._speed_ms = latency_ms if known is None else known + _NEWEST_SHARE * (latency_ms - known)
        self._measured_at = self._clock()

    @property
    def speed_ms(self) -> float | None:
        """A moving average of durations; None where none was measured lately."""
        return self._speed_ms if self._clock() - self._measured_at < _SPEED_HOLDS_S else None


class Standings:
    """All providers that were asked or looked at.

    Args:
        thresholds: of circuits.
        retries: of budgets.
        most_at_once: calls in flight, of each provider.
        clock: monotonic seconds.
    """

    def __init__(
        self, thresholds: Thresholds, retries: RetryRules, most_at_once: int, clock: Callable[[], float]
    ) -> None:
        self._thresholds = thresholds
        self._retries = retries
        self._most_at_once = most_at_once
        self._clock = clock
        self._known: dict[str, Standing] = {}

    def of(self, provider: Configured) -> Standing:
        """The provider's; a new one where its key, address or the like have changed since."""
        found = self._known.get(provider.id)
        if found is None or found.config != provider.config:
            while len(self._known) >= _MOST_STANDINGS:
                self._known.pop(next(iter(self._known)))
            found = self._known[provider.id] = self._made(provider.config)
        return found

    def _made(self, config: ProviderConfig) -> Standing:
        return Standing(config, self._thresholds, self._retries, self._most_at_once, clock=self._clock)


@dataclasses.dataclass(slots=True)
class Tally:
    """What one tenant's calls of one provider came to, in this process.

    Attributes:
        requests, errors: calls of the provider, retries included.
    """

    requests: int = 0
    errors: int = 0
    total_ms: float = 0.0
    last_used: datetime | None = None


class Tallies:
    """Counts of tenants, bounded; the oldest names go first."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], Tally] = {}

    def add(self, org_id: str, tenant_id: str, name: str, *, failed: bool, latency_ms: float, at: datetime) -> None:
        """Count one call."""
        key = (org_id, tenant_id, name)
        tally = self._known.get(key)
        if tally is None:
            while len(self._known) >= _MOST_TALLIES:
                self._known.pop(next(iter(self._known)))
            tally = self._known[key] = Tally()
        tally.requests += 1
        tally.errors += failed
        tally.total_ms += latency_ms
        tally.last_used = at

    def of(self, org_id: str, tenant_id: str | None, name: str) -> Tally:
        """One tenant's count, or with None that of the whole organisation."""
        if tenant_id is not None:
            return self._known.get((org_id, tenant_id, name), Tally())
        keys = [key for key in self._known if key[0] == org_id and key[2] == name]
        return _sum(self._known[key] for key in keys)


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.requests += tally.requests
        total.errors += tally.errors
        total.total_ms += tally.total_ms
        if tally.last_used and (total.last_used is None or tally.last_used > total.last_used):
            total.last_used = tally.last_used
    return total
