"""Opens the router of a process; closed with the stack that it is given."""

from __future__ import annotations

import contextlib
import logging
import time

from axonflow_database import Database
from axonflow_guards import RateLimiter
from axonflow_telemetry import Metrics
from axonflow_telemetry.call_series import CallSeries

from axonflow_orchestrator.routing.asking import Surroundings
from axonflow_orchestrator.routing.breaker import Thresholds
from axonflow_orchestrator.routing.models import ModelLists
from axonflow_orchestrator.routing.ports import Providers
from axonflow_orchestrator.routing.retrying import RetryRules
from axonflow_orchestrator.routing.router import Choosing, Router
from axonflow_orchestrator.routing.selection import Selection
from axonflow_orchestrator.routing.standing import Standings, Tallies
from axonflow_orchestrator.routing.strategies import Strategy
from axonflow_orchestrator.routing.weights import Weights
from axonflow_orchestrator.routing.wishes import Candidate
from axonflow_orchestrator.routing_settings import RoutingSettings
from axonflow_orchestrator.settings import OrchestratorSettings

logger = logging.getLogger("axonflow.orchestrator.routing")


class SharedLimiter:
    """A definition's calls a minute, held by all replicas together.

    A provider's own quota is per account, so replicas that counted alone would pass it as often as there are replicas.
    Permits are leased a tenth of the rest at a time, so that this is some ten round trips a minute and not one a call;
    while PostgreSQL is away each process counts by itself.

    Args:
        rates: the leases.
        org_id: under whom the deployment's own providers are counted.
    """

    def __init__(self, rates: RateLimiter, org_id: str) -> None:
        self._rates = rates
        self._org_id = org_id

    async def admit(self, candidate: Candidate) -> float | None:
        """None lets a call pass; else seconds until the next minute."""
        provider = candidate.provider
        if not provider.rate_limit:
            return None
        # A blank stands in no client's id, so that no client's calls are counted here.
        key = f"llm provider {provider.id}"
        admission = await self._rates.admit(provider.org_id or self._org_id, key, provider.rate_limit)
        return None if admission is None or admission.allowed else float(admission.retry_after_s)


async def open_router(
    stack: contextlib.AsyncExitStack,
    settings: OrchestratorSettings,
    database: Database,
    metrics: Metrics,
    *,
    providers: Providers,
) -> Router:
    """The router, following weights that are set at run time.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer.
    """
    weights = Weights(database, dict(settings.provider_weights))
    await weights.start()
    stack.push_async_callback(weights.close)
    retries = _retries(settings)
    clock = time.monotonic
    around = Surroundings(
        providers=providers,
        tallies=Tallies(),
        series=CallSeries(metrics.registry),
        limiter=SharedLimiter(RateLimiter(database), settings.org_id),
        clock=clock,
    )
    standings = Standings(_thresholds(settings), retries, settings.llm_provider_concurrency, clock)
    return Router(providers, weights, _choosing(settings), standings, retries=retries, around=around)


def _choosing(settings: OrchestratorSettings) -> Choosing:
    lists = ModelLists(allowed=settings.llm_allowed_models, denied=settings.llm_denied_models)
    strategy = strategy_of(settings.llm_routing_strategy)
    return Choosing(
        selection=Selection(strategy=strategy, lists=lists, strict=settings.llm_strict_provider),
        default=settings.default_llm_provider,
        costs=dict(settings.provider_costs),
        prices=settings.prices,
        hedge_after_s=settings.llm_hedge_after_ms / 1000 or None,
    )


def strategy_of(word: str) -> Strategy:
    """The strategy that ``word`` names; weighted, with a warning, where it names none (contract section 3.2)."""
    try:
        return Strategy(word.strip().lower().replace("-", "_"))
    except ValueError:
        names = ", ".join(Strategy)
        logger.warning("LLM_ROUTING_STRATEGY is %r, which is none of %s: calls are shared by weight", word, names)
        return Strategy.WEIGHTED


def _retries(settings: RoutingSettings) -> RetryRules:
    return RetryRules(
        most=settings.llm_retries,
        base_s=settings.llm_retry_base_ms / 1000,
        cap_s=settings.llm_retry_cap_s,
        budget_ratio=settings.llm_retry_budget_percent / 100,
    )


def _thresholds(settings: RoutingSettings) -> Thresholds:
    return Thresholds(
        window_s=settings.llm_breaker_window_s,
        min_calls=settings.llm_breaker_min_calls,
        failure_ratio=settings.llm_breaker_failure_percent / 100,
        consecutive=settings.llm_breaker_consecutive,
        open_s=settings.llm_breaker_open_s,
        unusable_s=settings.llm_breaker_unusable_s,
    )
