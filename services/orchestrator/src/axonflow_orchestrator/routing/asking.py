"""One candidate is asked: under its circuit, its limits, a deadline and a few retries. No lock is held across a call.

A call that its caller gives up counts as neither success nor failure; its place and its permit are given back.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

from axonflow_providers import FaultKind, ModelReply, ModelRequest, ProviderFault
from axonflow_telemetry.call_series import CANCELLED, ERROR, SUCCESS, CallSeries

from axonflow_orchestrator.routing.breaker import Outcome
from axonflow_orchestrator.routing.ports import Providers
from axonflow_orchestrator.routing.retrying import RetryRules
from axonflow_orchestrator.routing.standing import Standing, Standings, Tallies
from axonflow_orchestrator.routing.wishes import Attempt, Candidate, Try

logger = logging.getLogger("axonflow.orchestrator.routing")

SLOT_WAIT_S = 1.0
_DEFAULT_LIMIT_S, _LONGEST_LIMIT_S = 1.0, 60.0
_UNUSABLE = frozenset({FaultKind.CREDENTIALS, FaultKind.QUOTA, FaultKind.REFUSED_ADDRESS})
_OUTCOMES = {
    **dict.fromkeys(_UNUSABLE, Outcome.UNUSABLE),
    FaultKind.RATE_LIMITED: Outcome.NOTHING,
    FaultKind.UNKNOWN_MODEL: Outcome.REFUSED,
    FaultKind.INVALID_REQUEST: Outcome.REFUSED,
    FaultKind.TOO_LONG: Outcome.REFUSED,
    FaultKind.CONTENT_FILTER: Outcome.REFUSED,
}


class Limiter(Protocol):
    """Calls a minute over all replicas."""

    async def admit(self, candidate: Candidate) -> float | None:
        """None lets a call pass; else seconds until the next minute."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What asking needs beside the standings.

    Attributes:
        clock: monotonic seconds.
        sleep: waits between tries.
        chance: a number from 0 to below 1.
        slot_wait_s: how long a call waits for a place among those in flight.
    """

    providers: Providers
    tallies: Tallies
    series: CallSeries
    limiter: Limiter
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    slot_wait_s: float = SLOT_WAIT_S


class _NotAsked(Exception):
    """The provider was not called; the fault is ours to tell."""

    def __init__(self, fault: ProviderFault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class Asker:
    """Makes attempts."""

    def __init__(self, standings: Standings, rules: RetryRules, around: Surroundings) -> None:
        self._standings = standings
        self._rules = rules
        self._around = around

    async def attempt(self, candidate: Candidate, request: ModelRequest) -> Attempt:
        """Ask one candidate, again where that may help, all within ``request.timeout_s``; raises no fault."""
        clock = self._around.clock
        began = clock()
        deadline = began + request.timeout_s
        standing = self._standings.of(candidate.provider)
        one = _One(self._around, standing, candidate, request, began=began)
        fault: ProviderFault | None = None
        for retries in range(self._rules.most + 1):
            try:
                found = await one.call()
            except _NotAsked as refusal:
                fault = fault or refusal.fault
                break
            if isinstance(found, ModelReply):
                return self._made(one, reply=found)
            fault = found
            pause_s = self._rules.pause_s(fault, retries, self._around.chance)
            if pause_s is None or clock() + pause_s >= deadline or not standing.breaker.available:
                break
            if not standing.budget.spend():
                break
            await self._around.sleep(pause_s)
        return self._made(one, fault=fault)

    def _made(self, one: _One, *, reply: ModelReply | None = None, fault: ProviderFault | None = None) -> Attempt:
        latency_ms = (self._around.clock() - one.began) * 1000
        return Attempt(candidate=one.candidate, reply=reply, fault=fault, tries=tuple(one.tries), latency_ms=latency_ms)


class _One:
    """The tries of one attempt."""

    def __init__(
        self,
        around: Surroundings,
        standing: Standing,
        candidate: Candidate,
        request: ModelRequest,
        *,
        began: float,
    ) -> None:
        self.candidate = candidate
        self.began = began
        self.tries: list[Try] = []
        self._around = around
        self._standing = standing
        self._request = request
        self._deadline = began + request.timeout_s
        self._full_s = min(request.timeout_s, candidate.provider.config.timeout_s)

    async def call(self) -> ModelReply | ProviderFault:
        """One try.

        Raises:
            _NotAsked: the circuit, the places or the limit let no call through.
        """
        standing, name = self._standing, self.candidate.provider.name
        last_resort = self.candidate.last_resort
        if not standing.breaker.available and not last_resort:
            raise _NotAsked(self._circuit_fault())
        left_s = self._deadline - self._around.clock()
        if not await standing.enter(max(0.0, min(self._around.slot_wait_s, left_s))):
            raise _NotAsked(ProviderFault(FaultKind.OVERLOADED, f"Too many calls of {name} are in flight"))
        try:
            permit = standing.breaker.admit(last_resort=last_resort)
            if permit is None:
                raise _NotAsked(self._circuit_fault())
            outcome = Outcome.NOTHING
            try:
                await self._within_limit()
                found, outcome = await self._asked()
                return found
            finally:
                permit.end(outcome)
        finally:
            standing.leave()

    async def _within_limit(self) -> None:
        wait_s = await self._around.limiter.admit(self.candidate)
        if wait_s is not None:
            self._standing.limit_for(min(wait_s, _LONGEST_LIMIT_S))
            message = f"The calls a minute of {self.candidate.provider.name} are used up"
            raise _NotAsked(ProviderFault(FaultKind.RATE_LIMITED, message, retry_after_s=math.ceil(wait_s)))

    async def _asked(self) -> tuple[ModelReply | ProviderFault, Outcome]:
        clock, provider = self._around.clock, self.candidate.provider
        started = clock()
        timeout_s = min(self._deadline - started, provider.config.timeout_s)
        if timeout_s <= 0:
            raise _NotAsked(ProviderFault(FaultKind.UNREACHABLE, f"No time is left to ask {provider.name}"))
        if not self.tries:
            self._standing.budget.earn()
        asked = dataclasses.replace(self._request, model=self.candidate.model, timeout_s=timeout_s)
        found: ModelReply | ProviderFault
        try:
            async with asyncio.timeout(timeout_s):
                found = await provider.provider.complete(asked)
        except ProviderFault as fault:
            found = fault
        except TimeoutError:
            found = ProviderFault(FaultKind.TIMEOUT, f"{provider.name} did not answer within {timeout_s:.1f} s")
        except asyncio.CancelledError:
            self._around.series.add(provider.name, CANCELLED, 0.0)
            raise
        except Exception as error:  # noqa: BLE001 - a bug in a wire format must not lose the call's record
            # The type alone: a message may hold what was sent.
            logger.error("provider %s failed in a way it should not: %s", provider.name, type(error).__name__)  # noqa: TRY400
            found = ProviderFault(FaultKind.MALFORMED, f"{provider.name} could not be understood")
        return found, self._learned(found, started, timeout_s)

    def _learned(self, found: ModelReply | ProviderFault, started: float, timeout_s: float) -> Outcome:
        """Keep what a call says of its provider."""
        latency_ms = (self._around.clock() - started) * 1000
        fault = found if isinstance(found, ProviderFault) else None
        outcome = Outcome.ANSWERED if fault is None else self._outcome(fault, timeout_s)
        usage = found.usage if isinstance(found, ModelReply) else None
        tokens = usage.prompt + usage.completion if usage else 0
        word, status = (SUCCESS, 200) if fault is None else (fault.kind.value, fault.status)
        started_ms = (started - self.began) * 1000
        self.tries.append(Try(started_ms=started_ms, latency_ms=latency_ms, outcome=word, status=status))
        if fault is None or fault.kind is FaultKind.TIMEOUT:
            self._standing.measured(latency_ms)
        if fault is not None and fault.kind is FaultKind.RATE_LIMITED:
            asked_s = _DEFAULT_LIMIT_S if fault.retry_after_s is None else fault.retry_after_s
            self._standing.limit_for(min(asked_s, _LONGEST_LIMIT_S))
        self._tell(fault, outcome, latency_ms, tokens)
        return outcome

    def _tell(self, fault: ProviderFault | None, outcome: Outcome, latency_ms: float, tokens: int) -> None:
        around, candidate, failed = self._around, self.candidate, fault is not None
        around.series.add(candidate.provider.name, ERROR if failed else SUCCESS, latency_ms, tokens)
        around.tallies.add(
            candidate.org_id,
            candidate.tenant_id,
            candidate.provider.name,
            failed=failed,
            latency_ms=latency_ms,
            at=datetime.now(UTC),
        )
        if outcome in {Outcome.ANSWERED, Outcome.FAILED, Outcome.UNUSABLE}:
            around.providers.on_health(
                candidate.provider, healthy=outcome is Outcome.ANSWERED, message="" if fault is None else str(fault)
            )

    def _outcome(self, fault: ProviderFault, timeout_s: float) -> Outcome:
        if fault.kind is FaultKind.TIMEOUT and timeout_s < self._full_s / 2:
            return Outcome.NOTHING  # earlier tries had used up the time: that is no fault of this one
        return _OUTCOMES.get(fault.kind, Outcome.FAILED)

    def _circuit_fault(self) -> ProviderFault:
        message = f"The circuit of {self.candidate.provider.name} is open after failures"
        wait_s = max(1.0, math.ceil(self._standing.breaker.retry_after_s))
        return ProviderFault(FaultKind.OVERLOADED, message, retry_after_s=wait_s)
