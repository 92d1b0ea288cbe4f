"""The variables by which an operator says what tokens really cost; agent and orchestrator read the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec
from axonflow_settings import ServiceSettings, variable

from axonflow_pricing.table import REST, PriceTable, Rate, default_prices

_MOST_PER_1K = Decimal(10_000)
_FORM = '{"provider": {"model": {"input_per_1k": 0.0025, "output_per_1k": 0.01}}}'

Rates = Mapping[str, Mapping[str, Rate]]


class _Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price as it is configured: a misspelt member would otherwise pass as no price."""

    input_per_1k: Decimal
    output_per_1k: Decimal
    cached_per_1k: Decimal | None = None
    cache_write_per_1k: Decimal | None = None


class _Wrapped(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same beneath ``providers``."""

    providers: dict[str, dict[str, _Price]]


def price_config(text: str) -> Rates:
    """JSON, or the path of a file that holds it: prices by provider and model prefix."""
    if not text.lstrip().startswith("{"):
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, ValueError):
            raise ValueError(f"JSON such as {_FORM}, or a readable file that holds it") from None
    try:
        wrapped = "providers" in msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        found = (
            msgspec.json.decode(text, type=_Wrapped).providers
            if wrapped
            else msgspec.json.decode(text, type=dict[str, dict[str, _Price]])
        )
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ValueError(f"JSON such as {_FORM}: {error}") from None
    return {provider: {model: _rate(price) for model, price in models.items()} for provider, models in found.items()}


def price(text: str) -> Decimal:
    """USD per 1 000 tokens."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    return _sane(found)


def _rate(given: _Price) -> Rate:
    return Rate(
        input=_sane(given.input_per_1k),
        output=_sane(given.output_per_1k),
        cached=None if given.cached_per_1k is None else _sane(given.cached_per_1k),
        cache_write=None if given.cache_write_per_1k is None else _sane(given.cache_write_per_1k),
    )


def _sane(amount: Decimal) -> Decimal:
    if not amount.is_finite() or not 0 <= amount <= _MOST_PER_1K:
        raise ValueError(f"made of prices from 0 to {_MOST_PER_1K} USD per 1 000 tokens")
    return amount


@dataclasses.dataclass(frozen=True, kw_only=True)
class PriceSettings(ServiceSettings):
    """What a service that counts money reads."""

    pricing_config: Rates | None = variable(
        "AXONFLOW_PRICING_CONFIG",
        f"Prices that replace or add to the product's own, in USD per 1 000 tokens: JSON such as {_FORM}, or a file "
        "that holds it. A model is a prefix of names; * stands for the rest of a provider; cached_per_1k and "
        "cache_write_per_1k may stand beside.",
        price_config,
        None,
        default_text="",
    )
    pricing_provider: str = variable(
        "LLM_PRICING_PROVIDER",
        "One price more, for which no JSON is needed: whose. It takes LLM_PRICING_INPUT and LLM_PRICING_OUTPUT too.",
        default="",
    )
    pricing_model: str = variable("LLM_PRICING_MODEL", "Its model, or a prefix of models.", default=REST)
    pricing_input: Decimal | None = variable("LLM_PRICING_INPUT", "USD per 1 000 tokens that go in.", price, None)
    pricing_output: Decimal | None = variable("LLM_PRICING_OUTPUT", "USD per 1 000 tokens that come out.", price, None)

    @property
    def prices(self) -> PriceTable:
        """The product's table with the operator's prices over it."""
        table = default_prices().overlaid(self.pricing_config or {})
        if not self.pricing_provider or self.pricing_input is None or self.pricing_output is None:
            return table
        rate = Rate(input=self.pricing_input, output=self.pricing_output)
        return table.overlaid({self.pricing_provider: {self.pricing_model: rate}})

    def check(self) -> list[str]:
        """Rules over several variables."""
        given = (bool(self.pricing_provider), self.pricing_input is not None, self.pricing_output is not None)
        faults = super().check()
        if any(given) and not all(given):
            faults.append("LLM_PRICING_PROVIDER, LLM_PRICING_INPUT and LLM_PRICING_OUTPUT belong together: give all")
        return faults
