"""The providers that ship; a composition root gives them to a registry, with others of its own if it has any."""

from __future__ import annotations

from axonflow_providers import azure, demo, openai
from axonflow_providers.registry import ProviderSpec


def standard_specs() -> tuple[ProviderSpec, ...]:
    """All of them, in the order in which a catalogue shows them."""
    return (*openai.SPECS, azure.SPEC, demo.SPEC)
