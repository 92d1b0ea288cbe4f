"""The price table and the one rule that turns tokens into money; decimal throughout."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib import resources

import msgspec

OTHER = "other"
# Neither the model nor its provider is known: one rate for every token, said to be an estimate.
UNKNOWN_RATE = Decimal("0.01")
_PER = Decimal(1000)
_EIGHT_PLACES = Decimal("0.00000001")


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one call; ``cached`` prompt tokens are part of ``prompt``, not beside it."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0

    @property
    def total(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt + self.completion


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """USD per 1 000 tokens."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None


class Cost(msgspec.Struct, frozen=True):
    """What a call cost; ``estimated`` when no price is known for its model."""

    usd: Decimal
    estimated: bool = False


class PriceTable:
    """Prices by provider and model prefix; a model's longest known prefix wins, so gpt-4o-mini is not gpt-4o."""

    def __init__(self, rates: Mapping[str, Mapping[str, Rate]]) -> None:
        self._rates = {
            provider: sorted(models.items(), key=lambda item: -len(item[0])) for provider, models in rates.items()
        }

    def rate(self, provider: str, model: str) -> Rate | None:
        """The rate of a model, else its provider's ``*``, else None."""
        fallback = None
        for prefix, rate in self._rates.get(provider, ()):
            if prefix == "*":
                fallback = rate
            elif model.startswith(prefix):
                return rate
        return fallback

    def names(self, provider: str, model: str) -> tuple[str, str]:
        """Provider and model prefix as the table writes them, ``other`` for what it does not know.

        There are only so many, so they may label a metric where a caller's own text may not.
        """
        models = self._rates.get(provider)
        if models is None:
            return OTHER, OTHER
        return provider, next((prefix for prefix, _ in models if prefix != "*" and model.startswith(prefix)), OTHER)

    def cost(self, provider: str, model: str, usage: Usage) -> Cost:
        """What ``usage`` costs, in USD with eight decimals."""
        rate = self.rate(provider, model)
        if rate is None:
            return Cost((UNKNOWN_RATE * usage.total / _PER).quantize(_EIGHT_PLACES), estimated=usage.total > 0)
        cached_rate = rate.input if rate.cached is None else rate.cached
        cached = min(usage.cached, usage.prompt)
        total = rate.input * (usage.prompt - cached) + cached_rate * cached + rate.output * usage.completion
        return Cost((total / _PER).quantize(_EIGHT_PLACES))


@cache
def default_prices() -> PriceTable:
    """The table that ships with the product (``prices.toml``)."""
    text = resources.files("axonflow_pricing").joinpath("prices.toml").read_text("utf-8")
    return PriceTable(msgspec.convert(tomllib.loads(text), dict[str, dict[str, Rate]], strict=False))
