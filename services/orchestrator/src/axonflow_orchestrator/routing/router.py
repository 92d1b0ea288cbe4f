"""The router: takes a wish, says whom to ask, asks one candidate at a time, and tells how providers stand."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from axonflow_pricing import PriceTable
from axonflow_pricing.table import UNKNOWN_RATE
from axonflow_providers import ModelRequest

from axonflow_orchestrator.routing.asking import Asker, Surroundings
from axonflow_orchestrator.routing.hedging import first_answer
from axonflow_orchestrator.routing.ports import Configured, Providers
from axonflow_orchestrator.routing.retrying import RetryRules
from axonflow_orchestrator.routing.selection import Selection
from axonflow_orchestrator.routing.standing import Standings
from axonflow_orchestrator.routing.strategies import Facts
from axonflow_orchestrator.routing.weights import Weights, normalised
from axonflow_orchestrator.routing.wishes import Attempt, Candidate, Route, Wish

CIRCUIT_OPEN, RATE_LIMITED, UNHEALTHY = "circuit open", "rate limited", "unhealthy"
# A probe's word is taken for four rounds; where nobody probes, calls must be able to prove it wrong.
_HEALTH_HOLDS = timedelta(minutes=2)
_MOST_TURNS = 10_000


class ProviderState(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as ``GET /api/v1/providers/status`` tells it; counts are those of this process.

    Attributes:
        weight: its part of 1 among all that are enabled.
        avg_latency_ms: of all its calls, failed ones included.
    """

    name: str
    healthy: bool
    weight: float
    request_count: int
    error_count: int
    avg_latency_ms: float
    last_used: datetime | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """What the operator said of choosing.

    Attributes:
        default: ``DEFAULT_LLM_PROVIDER``.
        costs: ``PROVIDER_COSTS``, USD per 1 000 tokens.
        prices: for those that it leaves out.
        hedge_after_s: None never asks a second provider before the first has answered.
        chance: a number from 0 to below 1.
    """

    selection: Selection
    default: str
    costs: Mapping[str, float]
    prices: PriceTable
    hedge_after_s: float | None = None
    chance: Callable[[], float] = random.random


class Router:
    """One for a process.

    Args:
        providers: whom there is to ask.
        weights: how calls are shared.
        choosing: the rules of choosing.
        standings: what is known of each.
        retries: when the same one is asked again.
        around: what asking needs.
    """

    def __init__(
        self,
        providers: Providers,
        weights: Weights,
        choosing: Choosing,
        standings: Standings,
        *,
        retries: RetryRules,
        around: Surroundings,
    ) -> None:
        self.weights = weights
        self._providers = providers
        self._choosing = choosing
        self._standings = standings
        self._around = around
        self._asker = Asker(standings, retries, around)
        self._turns: dict[str, int] = {}

    async def route(self, wish: Wish) -> Route:
        """Whom to ask, and why; asks nobody.

        Raises:
            NoRoute: nobody may answer.
            ProvidersUnknown: the definitions were never read.
        """
        providers = await self._providers.providers_for(wish.org_id, wish.tenant_id, named=wish.provider)
        facts = Facts(
            weights=self.weights.of(wish.org_id, providers),
            default=self._choosing.default,
            turn=self._turn(wish.org_id),
            cost=self._cost,
            latency_ms=lambda candidate: self._standings.of(candidate.provider).speed_ms,
            busy=lambda candidate: self._standings.of(candidate.provider).busy,
            chance=self._choosing.chance,
        )
        return self._choosing.selection.route(providers, wish, self._ails, facts)

    async def attempt(self, candidate: Candidate, request: ModelRequest) -> Attempt:
        """Ask one candidate for its model, again where that may help, all within ``request.timeout_s``.

        Raises no fault of a provider; being cancelled leaves no trace of success or failure.
        """
        return await self._asker.attempt(candidate, request)

    @staticmethod
    def may_fail_over(attempt: Attempt) -> bool:
        """Whether another candidate may do better; not where the request is at fault."""
        return attempt.fault is not None and not attempt.fault.of_the_request

    async def first_answer(self, route: Route, ask: Callable[[Candidate], Awaitable[Attempt]]) -> tuple[Attempt, ...]:
        """Ask a route's candidates through ``ask`` until one answers; where the operator wants it, two at a time.

        ``ask`` is run once a candidate and must clean up after itself when it is cancelled, as the slower of two is.

        Returns:
            The attempts that ended, in order; the last is the one that counts.
        """
        return await first_answer(route.candidates, ask, self.may_fail_over, self._choosing.hedge_after_s)

    async def statuses(self, org_id: str, tenant_id: str, *, whole: bool = False) -> dict[str, ProviderState]:
        """How a tenant's enabled providers stand, by name.

        Args:
            org_id: the organisation.
            tenant_id: whose providers.
            whole: count the calls of all tenants of the organisation.

        Raises:
            ProvidersUnknown: as `route`.
        """
        providers = await self._providers.providers_for(org_id, tenant_id)
        shares = normalised(self.weights.of(org_id, providers))
        counted = None if whole else tenant_id
        return {each.name: self._state(each, shares[each.name], org_id, counted) for each in providers if each.enabled}

    async def weights_of(self, org_id: str, tenant_id: str) -> dict[str, float]:
        """The weights in force of a tenant's enabled providers, by name, as they are written.

        Raises:
            ProvidersUnknown: as `route`.
        """
        return self.weights.of(org_id, await self._providers.providers_for(org_id, tenant_id))

    def figures(self) -> dict[str, dict[str, float]]:
        """Calls, tokens and percentiles of durations by provider name, of this process and all organisations."""
        return self._around.series.snapshot()

    def _state(self, provider: Configured, share: float, org_id: str, tenant_id: str | None) -> ProviderState:
        tally = self._around.tallies.of(org_id, tenant_id, provider.name)
        return ProviderState(
            name=provider.name,
            healthy=not self._ails(provider),
            weight=round(share, 6),
            request_count=tally.requests,
            error_count=tally.errors,
            avg_latency_ms=round(tally.total_ms / tally.requests, 3) if tally.requests else 0.0,
            last_used=tally.last_used,
        )

    def _ails(self, provider: Configured) -> str:
        standing = self._standings.of(provider)
        if not standing.breaker.available:
            return CIRCUIT_OPEN
        if standing.limited:
            return RATE_LIMITED
        seen = self._providers.health_of(provider)
        known = isinstance(seen.last_checked, datetime) and datetime.now(UTC) - seen.last_checked < _HEALTH_HOLDS
        return UNHEALTHY if known and seen.status == UNHEALTHY else ""

    def _cost(self, candidate: Candidate) -> float:
        provider = candidate.provider
        given = self._choosing.costs.get(provider.name)
        if given is not None:
            return given
        rate = self._choosing.prices.rate(provider.pricing, candidate.model)
        return float(UNKNOWN_RATE if rate is None else (rate.input + rate.output) / 2)

    def _turn(self, org_id: str) -> int:
        if org_id not in self._turns and len(self._turns) >= _MOST_TURNS:
            self._turns.clear()
        turn = self._turns[org_id] = self._turns.get(org_id, -1) + 1
        return turn
