"""The table's own words for a provider and a model, which may label a metric."""

from __future__ import annotations

import pytest
from axonflow_pricing import default_prices


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (("openai", "gpt-4o-mini-2024-07-18"), ("openai", "gpt-4o-mini")),
        (("openai", "x" * 500), ("openai", "other")),
        (("made-up", "gpt-4o"), ("other", "other")),
        (("ollama", "llama3"), ("ollama", "other")),
    ],
)
def test_names_come_from_the_table_alone(asked: tuple[str, str], named: tuple[str, str]) -> None:
    assert default_prices().names(*asked) == named
