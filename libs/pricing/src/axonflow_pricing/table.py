"""The price table and the one rule that turns tokens into money; decimal throughout."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from decimal import ROUND_UP, Decimal
from functools import cache
from importlib import resources
from typing import NamedTuple

import msgspec

OTHER = "other"
REST = "*"  # stands for the models of a provider that no prefix names
# Neither the model nor its provider is known: one rate for every token, said to be an estimate.
UNKNOWN_RATE = Decimal("0.01")
_PER = Decimal(1000)
_EIGHT_PLACES = Decimal("0.00000001")
# Other words for a provider of the table, which hold unless the table has them itself.
ALIASES = {
    "azure": "openai",
    "azure-openai": "openai",
    "gemini": "google",
    "vertex": "google",
    "vertex-ai": "google",
    "aws-bedrock": "bedrock",
    "vllm": "local",
}
# AWS names where a model runs before the model itself.
_WHERE = re.compile(r"(?:us|eu|apac|jp|au|us-gov|global)\.")


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one call.

    Attributes:
        cached: prompt tokens that the provider served from its cache; part of ``prompt``, not beside it.
        cache_write: prompt tokens that it put there; part of ``prompt`` too.
        reasoning: completion tokens that nobody sees; part of ``completion``, and paid as such.
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt + self.completion


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """USD per 1 000 tokens; without a rate of their own, cached and cache-writing tokens cost ``input``."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    cache_write: Decimal | None = None


class Cost(msgspec.Struct, frozen=True):
    """What a call cost; ``estimated`` when no price is known for its model."""

    usd: Decimal
    estimated: bool = False


class Priced(NamedTuple):
    """A row of the table; ``model`` is a prefix, or ``*``."""

    provider: str
    model: str
    rate: Rate


class PriceTable:
    """Prices by provider and model prefix; a model's longest known prefix wins, so gpt-4o-mini is not gpt-4o."""

    def __init__(self, rates: Mapping[str, Mapping[str, Rate]]) -> None:
        self._rates = {
            provider: sorted(models.items(), key=lambda item: -len(item[0])) for provider, models in rates.items()
        }

    def rows(self) -> tuple[Priced, ...]:
        """Every price, by provider and model."""
        return tuple(
            Priced(provider, model, rate)
            for provider, models in sorted(self._rates.items())
            for model, rate in sorted(models)
        )

    def overlaid(self, rates: Mapping[str, Mapping[str, Rate]]) -> PriceTable:
        """This table with further prices, which replace those of the same provider and model."""
        merged = {provider: dict(models) for provider, models in self._rates.items()}
        for provider, models in rates.items():
            merged[provider] = {**merged.get(provider, {}), **models}
        return PriceTable(merged)

    def knows(self, provider: str) -> bool:
        """Whether there is any price of a provider."""
        return self._known(provider) is not None

    def rate(self, provider: str, model: str) -> Rate | None:
        """The rate of a model, else its provider's ``*``, else None."""
        fallback = None
        for prefix, rate in self._of(provider):
            if prefix == REST:
                fallback = rate
            elif _bare(model).startswith(prefix) or model.startswith(prefix):
                return rate
        return fallback

    def names(self, provider: str, model: str) -> tuple[str, str]:
        """Provider and model prefix as the table writes them, ``other`` for what it does not know.

        There are only so many, so they may label a metric where a caller's own text may not.
        """
        known = self._known(provider)
        if known is None:
            return OTHER, OTHER
        named = (prefix for prefix, _ in self._rates[known] if prefix != REST and _bare(model).startswith(prefix))
        return known, next(named, OTHER)

    def cost(self, provider: str, model: str, usage: Usage) -> Cost:
        """What ``usage`` costs, in USD with eight decimals."""
        rate = self.rate(provider, model)
        if rate is None:
            return Cost((UNKNOWN_RATE * usage.total / _PER).quantize(_EIGHT_PLACES), estimated=usage.total > 0)
        cached = min(usage.cached, usage.prompt)
        written = min(usage.cache_write, usage.prompt - cached)
        total = (
            rate.input * (usage.prompt - cached - written)
            + _or_input(rate.cached, rate) * cached
            + _or_input(rate.cache_write, rate) * written
            + rate.output * usage.completion
        )
        return Cost((total / _PER).quantize(_EIGHT_PLACES))

    def estimate(self, provider: str, model: str, prompt_tokens: int, max_completion_tokens: int) -> Cost:
        """The most that a call can cost: no token comes from a cache, and each may be written to one.

        Args:
            provider: as the table knows it, or one of its aliases.
            model: the full name.
            prompt_tokens: at most so many go in.
            max_completion_tokens: at most so many come out, reasoning included.
        """
        rate = self.rate(provider, model)
        if rate is None:
            total = UNKNOWN_RATE * (prompt_tokens + max_completion_tokens)
        else:
            dearest = max(rate.input, _or_input(rate.cache_write, rate), _or_input(rate.cached, rate))
            total = dearest * prompt_tokens + rate.output * max_completion_tokens
        return Cost((total / _PER).quantize(_EIGHT_PLACES, ROUND_UP), estimated=True)

    def _known(self, provider: str) -> str | None:
        if provider in self._rates:
            return provider
        alias = ALIASES.get(provider)
        return alias if alias in self._rates else None

    def _of(self, provider: str) -> list[tuple[str, Rate]]:
        known = self._known(provider)
        return [] if known is None else self._rates[known]


def _bare(model: str) -> str:
    where = _WHERE.match(model)
    return model[where.end() :] if where else model


def _or_input(rate: Decimal | None, of: Rate) -> Decimal:
    return of.input if rate is None else rate


@cache
def default_prices() -> PriceTable:
    """The table that ships with the product (``prices.toml``)."""
    text = resources.files("axonflow_pricing").joinpath("prices.toml").read_text("utf-8")
    return PriceTable(msgspec.convert(tomllib.loads(text), dict[str, dict[str, Rate]], strict=False))
