"""The providers that ship; a composition root gives them to a registry, with others of its own if it has any."""

from __future__ import annotations

from collections.abc import Mapping

from axonflow_providers import anthropic, azure, demo, gemini, openai
from axonflow_providers.bedrock import bedrock_spec
from axonflow_providers.registry import ProviderSpec


def standard_specs(environment: Mapping[str, str] | None = None) -> tuple[ProviderSpec, ...]:
    """All of them, in the order in which a catalogue shows them.

    Args:
        environment: where the operator's own configs of Bedrock may find ``AWS_ACCESS_KEY_ID`` and its fellows, or
            ``AWS_CONTAINER_CREDENTIALS_RELATIVE_URI``; without it they find nothing.
    """
    return (
        *openai.SPECS,
        azure.SPEC,
        anthropic.SPEC,
        gemini.GEMINI,
        gemini.VERTEX,
        bedrock_spec(environment or {}),
        demo.SPEC,
    )
