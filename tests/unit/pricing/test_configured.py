"""What an operator says tokens cost, and what no configuration may say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from axonflow_pricing import Cost, PriceSettings, Usage
from axonflow_settings import SettingsError, load

THOUSAND = Usage(prompt=1000, completion=1000)
OURS = '{"openai": {"gpt-4o": {"input_per_1k": 0.001, "output_per_1k": "0.002", "cached_per_1k": 0}}}'


def settings(**environ: str) -> PriceSettings:
    return load(PriceSettings, {"DATABASE_URL": "postgresql://x", **environ})


def test_nothing_configured_is_the_products_table() -> None:
    assert settings().prices.cost("openai", "gpt-4o", THOUSAND) == Cost(Decimal("0.0125"))


@pytest.mark.parametrize("form", ["bare", "wrapped", "file"])
def test_a_configured_price_replaces_ours_and_leaves_its_neighbours(form: str, tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(OURS, encoding="utf-8")
    text = {"bare": OURS, "wrapped": f'{{"providers": {OURS}}}', "file": str(file)}[form]
    prices = settings(AXONFLOW_PRICING_CONFIG=text).prices
    assert prices.cost("openai", "gpt-4o", Usage(prompt=2000, completion=1000, cached=1000)).usd == Decimal("0.003")
    assert prices.cost("openai", "gpt-4o-mini", THOUSAND).usd == Decimal("0.00075")


def test_one_price_needs_no_json() -> None:
    prices = settings(LLM_PRICING_PROVIDER="groq", LLM_PRICING_INPUT="0.5", LLM_PRICING_OUTPUT="1").prices
    assert prices.cost("groq", "whatever", THOUSAND) == Cost(Decimal("1.5"))


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"AXONFLOW_PRICING_CONFIG": "{"}, "AXONFLOW_PRICING_CONFIG must be JSON"),
        ({"AXONFLOW_PRICING_CONFIG": "/no/such/file"}, "readable file"),
        ({"AXONFLOW_PRICING_CONFIG": '{"openai": {"m": {"input_per_1k": 1}}}'}, "output_per_1k"),
        ({"AXONFLOW_PRICING_CONFIG": OURS.replace("cached_per", "cahced_per")}, "cahced_per_1k"),
        ({"AXONFLOW_PRICING_CONFIG": OURS.replace("0.001", "-1")}, "from 0 to"),
        ({"AXONFLOW_PRICING_CONFIG": OURS.replace('"0.002"', '"NaN"')}, "from 0 to"),
        ({"AXONFLOW_PRICING_CONFIG": OURS.replace("0.001", "1e9")}, "from 0 to"),
        ({"LLM_PRICING_INPUT": "cheap"}, "LLM_PRICING_INPUT must be"),
        ({"LLM_PRICING_INPUT": "1"}, "belong together"),
        ({"LLM_PRICING_PROVIDER": "groq", "LLM_PRICING_OUTPUT": "1"}, "belong together"),
    ],
)
def test_a_configuration_that_cannot_be_meant_refuses_the_boot(environ: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(**environ)
    assert told in str(refused.value)
