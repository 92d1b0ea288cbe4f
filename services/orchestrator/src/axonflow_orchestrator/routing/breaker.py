"""A provider's circuit breaker, in process memory: closed, open, half open. A state machine with a clock, no I/O.

It hears of outcomes in four kinds: the provider answered, it failed, it can not be used as it is configured (a wrong
key, no money left), or nothing was learned of it (a cancelled call, a fault of the request).
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable
from enum import StrEnum


class State(StrEnum):
    """Where a circuit stands. ``half_open``: one call is let through, and decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """When a circuit opens, and for how long.

    Attributes:
        window_s: how far back calls count.
        min_calls: fewer calls within the window say nothing about a ratio.
        failure_ratio: of the calls within the window, 0 to 1.
        consecutive: this many failures in a row open it at once.
        open_s: how long after failures.
        unusable_s: how long after a fault of credentials, quota or address.
        last_resort_s: after this long, a call goes through where nobody else could answer it.
    """

    window_s: float = 30.0
    min_calls: int = 10
    failure_ratio: float = 0.5
    consecutive: int = 5
    open_s: float = 15.0
    unusable_s: float = 30.0
    last_resort_s: float = 1.0


class Breaker:
    """One circuit.

    Args:
        thresholds: when it opens.
        clock: monotonic seconds.
    """

    def __init__(self, thresholds: Thresholds, clock: Callable[[], float]) -> None:
        self._thresholds = thresholds
        self._clock = clock
        self._opened_at: float | None = None
        self._opens_for_s = 0.0
        self._probe: Permit | None = None
        self._failed_in_a_row = 0
        self._window: deque[tuple[float, bool]] = deque()  # when, and whether it failed
        self._failed = 0
        self._epoch = 0

    @property
    def state(self) -> State:
        """Now."""
        if self._opened_at is None:
            return State.CLOSED
        return State.HALF_OPEN if self._clock() - self._opened_at >= self._opens_for_s else State.OPEN

    @property
    def available(self) -> bool:
        """Whether a call would be let through now."""
        return self.state is State.CLOSED or (self.state is State.HALF_OPEN and self._probe is None)

    @property
    def retry_after_s(self) -> float:
        """Seconds until a call may be let through; 0 where one would be now."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + self._opens_for_s - self._clock())

    def admit(self, *, last_resort: bool = False) -> Permit | None:
        """Let a call through, or not. Whoever gets a permit ends it, with what was learned or with nothing.

        Args:
            last_resort: nobody else could answer, so an open circuit lets one call through sooner.
        """
        if self._opened_at is None:
            return Permit(self, self._epoch, probe=False)
        waited_s = self._clock() - self._opened_at
        needed_s = min(self._opens_for_s, self._thresholds.last_resort_s) if last_resort else self._opens_for_s
        if self._probe is not None or waited_s < needed_s:
            return None
        self._probe = Permit(self, self._epoch, probe=True)
        return self._probe

    def _ended(self, permit: Permit, outcome: Outcome) -> None:
        if permit.epoch != self._epoch:
            return  # it began before the circuit opened or closed: that is decided already
        if permit.probe:
            self._probe = None
            if outcome in {Outcome.ANSWERED, Outcome.REFUSED}:
                self._close()
            elif outcome is not Outcome.NOTHING:
                self._open(outcome)
            return
        if outcome is Outcome.UNUSABLE:
            self._open(outcome)
        elif outcome in {Outcome.ANSWERED, Outcome.FAILED}:
            self._count(failed=outcome is Outcome.FAILED)

    def _count(self, *, failed: bool) -> None:
        now = self._clock()
        self._window.append((now, failed))
        self._failed += failed
        while self._window[0][0] < now - self._thresholds.window_s:
            self._failed -= self._window.popleft()[1]
        self._failed_in_a_row = self._failed_in_a_row + 1 if failed else 0
        calls = len(self._window)
        over = calls >= self._thresholds.min_calls and self._failed >= self._thresholds.failure_ratio * calls
        if failed and (over or self._failed_in_a_row >= self._thresholds.consecutive):
            self._open(Outcome.FAILED)

    def _open(self, outcome: Outcome) -> None:
        self._forget()
        self._opened_at = self._clock()
        unusable = outcome is Outcome.UNUSABLE
        self._opens_for_s = self._thresholds.unusable_s if unusable else self._thresholds.open_s

    def _close(self) -> None:
        self._forget()
        self._opened_at = None

    def _forget(self) -> None:
        self._epoch += 1
        self._probe = None
        self._window.clear()
        self._failed = self._failed_in_a_row = 0


class Outcome(StrEnum):
    """What a call says of its provider."""

    ANSWERED = "answered"
    REFUSED = "refused"  # it is alive, and the request was wrong: proves health, but cannot dilute a ratio
    FAILED = "failed"
    UNUSABLE = "unusable"
    NOTHING = "nothing"


class Permit:
    """Leave for one call; ended once, and the first word counts.

    Attributes:
        epoch: of the circuit when it was given.
        probe: whether the call decides over a half-open circuit.
    """

    __slots__ = ("_breaker", "_over", "epoch", "probe")

    def __init__(self, breaker: Breaker, epoch: int, *, probe: bool) -> None:
        self._breaker = breaker
        self._over = False
        self.epoch = epoch
        self.probe = probe

    def end(self, outcome: Outcome) -> None:
        """Say what was learned."""
        if not self._over:
            self._over = True
            self._breaker._ended(self, outcome)  # noqa: SLF001 - two halves of one thing
