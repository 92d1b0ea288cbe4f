"""The most that a call can cost, and prices under other names."""

from __future__ import annotations

from decimal import Decimal

import pytest
from axonflow_pricing import Usage, default_prices
from hypothesis import given
from hypothesis import strategies as st

PRICES = default_prices()
MODELS = st.sampled_from(
    [(row.provider, row.model) for row in PRICES.rows()] + [("nobody", "m"), ("google", "gemini-9")]
)
TOKENS = st.integers(0, 10**7)


@given(MODELS, TOKENS, TOKENS, st.data())
def test_no_call_within_its_tokens_costs_more_than_estimated(
    priced: tuple[str, str], prompt: int, completion: int, data: st.DataObject
) -> None:
    took = data.draw(st.integers(0, prompt)), data.draw(st.integers(0, completion))
    cached, written = data.draw(st.integers(0, took[0] or 1)), data.draw(st.integers(0, took[0] or 1))
    usage = Usage(prompt=took[0], completion=took[1], cached=cached, cache_write=written, reasoning=took[1])
    cost = PRICES.cost(*priced, usage)
    assert Decimal(0) <= cost.usd <= PRICES.estimate(*priced, prompt, completion).usd


def test_tokens_written_to_a_cache_have_a_rate_of_their_own() -> None:
    usage = Usage(prompt=3000, cached=1000, cache_write=1000)
    assert PRICES.cost("anthropic", "claude-sonnet-4-20250514", usage).usd == Decimal("0.00705")


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        (("azure-openai", "gpt-4o"), ("openai", "gpt-4o")),
        (("gemini", "gemini-1.5-pro-002"), ("google", "gemini-1.5-pro")),
        (("bedrock", "us.anthropic.claude-3-haiku-20240307-v1:0"), ("bedrock", "anthropic.claude-3-haiku")),
    ],
)
def test_a_provider_goes_by_several_names(asked: tuple[str, str], same: tuple[str, str]) -> None:
    assert PRICES.rate(*asked) is PRICES.rate(*same)
    assert PRICES.names(*asked) == same


def test_local_models_cost_nothing_and_an_unlisted_provider_is_flagged() -> None:
    for provider in ("ollama", "local", "demo", "mock", "vllm"):
        cost = PRICES.cost(provider, "any", Usage(prompt=1000))
        assert (cost.usd, cost.estimated) == (Decimal(0), False)
    assert PRICES.cost("groq", "llama-3", Usage(prompt=1000)).estimated
