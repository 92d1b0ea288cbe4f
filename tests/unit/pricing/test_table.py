"""Tokens to money."""

from decimal import Decimal

import pytest
from axonflow_pricing import Cost, PriceTable, Rate, Usage, default_prices


def test_the_longest_prefix_names_the_price():
    prices = default_prices()
    mini = prices.cost("openai", "gpt-4o-mini-2024-07-18", Usage(prompt=1000, completion=1000))
    full = prices.cost("openai", "gpt-4o-2024-11-20", Usage(prompt=1000, completion=1000))
    assert mini == Cost(Decimal("0.00075"))
    assert full == Cost(Decimal("0.0125"))


def test_cached_prompt_tokens_are_part_of_the_prompt_and_cost_the_cached_rate():
    prices = PriceTable({"p": {"m": Rate(input=Decimal(2), output=Decimal(8), cached=Decimal(1))}})
    assert prices.cost("p", "m", Usage(prompt=1000, completion=500, cached=400)).usd == Decimal("5.6")


def test_more_cached_tokens_than_prompt_tokens_never_make_a_negative_cost():
    prices = PriceTable({"p": {"m": Rate(input=Decimal(2), output=Decimal(8), cached=Decimal(1))}})
    assert prices.cost("p", "m", Usage(prompt=10, cached=1_000_000)).usd == Decimal("0.01")


def test_without_a_cached_rate_cached_tokens_cost_the_input_rate():
    prices = default_prices()
    usage = Usage(prompt=1000, cached=1000)
    assert prices.cost("openai", "gpt-4-0613", usage).usd == Decimal("0.03")


def test_an_unknown_model_costs_its_providers_default():
    assert default_prices().cost("openai", "gpt-9", Usage(prompt=1000)) == Cost(Decimal("0.01"))


@pytest.mark.parametrize(("provider", "model"), [("nobody", "m"), ("google", "gemini-99")])
def test_an_unknown_provider_or_a_gap_in_a_provider_is_flagged_as_an_estimate(provider, model):
    assert default_prices().cost(provider, model, Usage(prompt=600, completion=400)) == Cost(Decimal("0.01"), True)


def test_no_tokens_cost_nothing_and_are_no_estimate():
    assert default_prices().cost("nobody", "m", Usage()) == Cost(Decimal(0), False)
