"""How calls are shared among providers, and the care taken while they are asked, as the operator sets it."""

from __future__ import annotations

import dataclasses

from axonflow_settings import variable
from axonflow_settings.core import boolean, decimal_number, duration_s, integer, words

_LARGEST_WEIGHT = 1_000_000.0


Numbers = tuple[tuple[str, float], ...]


def _numbers(text: str) -> Numbers:
    """``name:number,…``; each name once."""
    parse = decimal_number(0, _LARGEST_WEIGHT)
    found: dict[str, float] = {}
    for word in words(text):
        name, colon, number = word.rpartition(":")
        name = name.strip()
        if not colon or not name or name in found:
            raise ValueError("a list such as openai:50,anthropic:30, each name once")
        try:
            found[name] = parse(number.strip())
        except ValueError:
            raise ValueError(f"a list of numbers from 0 to {_LARGEST_WEIGHT:g}; {name}'s is none") from None
    return tuple(found.items())


@dataclasses.dataclass(frozen=True, kw_only=True)
class RoutingSettings:
    """The part of the orchestrator's environment that is about routing."""

    llm_routing_strategy: str = variable(
        "LLM_ROUTING_STRATEGY",
        "weighted, round_robin, failover, cost_optimized or least_latency; anything else is weighted, with a warning.",
        default="weighted",
    )
    provider_weights: Numbers = variable(
        "PROVIDER_WEIGHTS",
        "Shares such as openai:50,anthropic:30; a provider left out has its definition's weight, 100 without one.",
        _numbers,
        (),
        default_text="",
    )
    provider_costs: Numbers = variable(
        "PROVIDER_COSTS",
        "For cost_optimized, USD per 1000 tokens, such as openai:0.02,ollama:0; the price table for those left out.",
        _numbers,
        (),
        default_text="",
    )
    llm_strict_provider: bool = variable(
        "LLM_STRICT_PROVIDER_DEFAULT",
        "Whether a call is answered by its first provider or by nobody, where the request does not say.",
        boolean,
        False,
    )
    llm_allowed_models: tuple[str, ...] = variable(
        "LLM_ALLOWED_MODELS",
        "The only models that may be asked, such as gpt-4o*,claude-*; unset: any.",
        words,
        (),
        default_text="",
    )
    llm_denied_models: tuple[str, ...] = variable(
        "LLM_DENIED_MODELS",
        "Models that may not be asked, in the same form; stronger than allowing.",
        words,
        (),
        default_text="",
    )
    llm_retries: int = variable(
        "LLM_RETRIES", "How often the same provider is asked again after a fault that may pass.", integer(0, 10), 2
    )
    llm_retry_base_ms: int = variable(
        "LLM_RETRY_BASE_MS",
        "The longest first pause before that; each next may be twice as long.",
        integer(0, 60_000),
        200,
    )
    llm_retry_cap_s: float = variable(
        "LLM_RETRY_CAP",
        "The longest pause; a provider that asks for a longer one is not asked again.",
        duration_s,
        5.0,
        default_text="5s",
    )
    llm_retry_budget_percent: int = variable(
        "LLM_RETRY_BUDGET_PERCENT",
        "Retries of a provider, of its calls, once ten saved up are used.",
        integer(0, 100),
        20,
    )
    llm_breaker_window_s: float = variable(
        "LLM_BREAKER_WINDOW", "How far back calls count for a circuit.", duration_s, 30.0, default_text="30s"
    )
    llm_breaker_min_calls: int = variable(
        "LLM_BREAKER_MIN_CALLS",
        "Fewer calls within the window open no circuit by their ratio.",
        integer(1, 100_000),
        10,
    )
    llm_breaker_failure_percent: int = variable(
        "LLM_BREAKER_FAILURE_PERCENT", "Failures among them that open a circuit.", integer(1, 100), 50
    )
    llm_breaker_consecutive: int = variable(
        "LLM_BREAKER_CONSECUTIVE", "Failures in a row that open a circuit at once.", integer(1, 100_000), 5
    )
    llm_breaker_open_s: float = variable(
        "LLM_BREAKER_OPEN",
        "How long it stays open before one call is let through.",
        duration_s,
        15.0,
        default_text="15s",
    )
    llm_breaker_unusable_s: float = variable(
        "LLM_BREAKER_UNUSABLE",
        "The same after a fault of credentials, quota or address, which opens it at once.",
        duration_s,
        30.0,
        default_text="30s",
    )
    llm_provider_concurrency: int = variable(
        "LLM_PROVIDER_CONCURRENCY", "Calls of one provider in flight, per process.", integer(1, 100_000), 64
    )
    llm_hedge_after_ms: int = variable(
        "LLM_HEDGE_AFTER_MS",
        "After this long without an answer the next provider is asked as well, and the first answer counts; 0: never. "
        "Both calls cost.",
        integer(0, 600_000),
        0,
    )
