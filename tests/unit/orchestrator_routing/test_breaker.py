"""The circuit as a state machine, against a model of it that is slow and obvious."""

from __future__ import annotations

from axonflow_orchestrator.routing.breaker import Breaker, Outcome, Permit, State, Thresholds
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from support.routing import Clock

RULES = Thresholds(
    window_s=20, min_calls=4, failure_ratio=0.5, consecutive=3, open_s=10, unusable_s=15, last_resort_s=2
)


class Circuit(RuleBasedStateMachine):
    """Calls come, end in any order or are given up, and time passes."""

    permits = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(RULES, self.clock)
        self.closed = True
        self.opened_at = self.opens_for = 0.0
        self.probe: Permit | None = None
        self.stale: set[Permit] = set()
        self.out: set[Permit] = set()
        self.calls: list[tuple[float, bool]] = []

    @rule(target=permits, last_resort=st.booleans())
    def call(self, last_resort: bool) -> Permit | None:
        permit = self.breaker.admit(last_resort=last_resort)
        waited = self.clock() - self.opened_at
        needed = min(RULES.last_resort_s, self.opens_for) if last_resort else self.opens_for
        assert (permit is not None) == (self.closed or (self.probe is None and waited >= needed))
        if permit is not None:
            self.out.add(permit)
            if not self.closed:
                self.probe = permit
        return permit

    @rule(permit=consumes(permits), outcome=st.sampled_from(Outcome))
    def end(self, permit: Permit | None, outcome: Outcome) -> None:
        if permit is None:
            return
        permit.end(outcome)
        permit.end(Outcome.FAILED)  # only the first word counts
        self.out.discard(permit)
        if permit in self.stale:
            return
        if permit is self.probe:
            self.probe = None
            if outcome in {Outcome.ANSWERED, Outcome.REFUSED}:
                self.turn(closed=True)
            elif outcome is not Outcome.NOTHING:
                self.turn(closed=False, unusable=outcome is Outcome.UNUSABLE)
        elif outcome is Outcome.UNUSABLE:
            self.turn(closed=False, unusable=True)
        elif outcome in {Outcome.ANSWERED, Outcome.FAILED}:
            self.count(failed=outcome is Outcome.FAILED)

    @rule(seconds=st.sampled_from((0.5, 3.0, 10.0, 21.0)))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    def count(self, *, failed: bool) -> None:
        self.calls.append((self.clock(), failed))
        recent = [bad for at, bad in self.calls if at >= self.clock() - RULES.window_s]
        in_a_row = next((n for n, (_, bad) in enumerate(reversed(self.calls)) if not bad), len(self.calls))
        over = len(recent) >= RULES.min_calls and sum(recent) / len(recent) >= RULES.failure_ratio
        if failed and (over or in_a_row >= RULES.consecutive):
            self.turn(closed=False)

    def turn(self, *, closed: bool, unusable: bool = False) -> None:
        self.closed, self.opened_at = closed, self.clock()
        self.opens_for = RULES.unusable_s if unusable else RULES.open_s
        self.probe = None
        self.stale |= self.out
        self.calls.clear()

    @invariant()
    def stands_as_the_model_does(self) -> None:
        over = self.clock() - self.opened_at >= self.opens_for
        expected = State.CLOSED if self.closed else State.HALF_OPEN if over else State.OPEN
        assert self.breaker.state is expected
        assert self.breaker.available == (self.closed or (over and self.probe is None))
        assert (self.breaker.retry_after_s > 0) == (expected is State.OPEN)


TestCircuit = Circuit.TestCase
TestCircuit.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
