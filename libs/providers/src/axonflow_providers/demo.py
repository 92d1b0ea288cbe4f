"""The built-in provider that answers where nobody configured one: no model, no network, no cost, and it says so."""

from __future__ import annotations

import dataclasses

from axonflow_providers.estimates import estimated_tokens, estimated_usage
from axonflow_providers.json_answers import encoded
from axonflow_providers.protocol import Finish, ModelReply, ModelRequest, ProviderConfig, Role, Transport
from axonflow_providers.registry import ProviderSpec
from axonflow_providers.sample_values import sample_value

MODEL = "demo"
_MOST_WORDS = 6
_LONGEST_OPENING = 60
_ANSWER = (
    "This is AxonFlow's built-in demo provider: no language model is configured, so no model has read your request. "
    "It was received and governed all the same. {seen} "
    "For real answers, start the orchestrator with OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY, MISTRAL_API_KEY, "
    "the AZURE_OPENAI_* or BEDROCK_* variables, or OLLAMA_ENDPOINT for a local model; or add a provider with "
    "POST /api/v1/llm-providers."
)


@dataclasses.dataclass(frozen=True, slots=True)
class DemoProvider:
    """The same answer to the same request, always."""

    config: ProviderConfig

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Say what it is and what it saw; with a JSON schema, the plainest value of it.

        Raises:
            ProviderFault: ``INVALID_REQUEST``: the schema demands what JSON cannot carry.
        """
        if request.json_schema is None:
            whole = _ANSWER.format(seen=_seen(request))
        else:
            whole = encoded(sample_value({"type": "object", **request.json_schema})).decode()
        text = _cut(whole, request.max_tokens)
        return ModelReply(
            text=text,
            model=MODEL,
            usage=estimated_usage(request, text),
            finish=Finish.STOP if text == whole else Finish.LENGTH,
        )

    async def probe(self, timeout_s: float) -> None:  # noqa: ARG002 - the protocol's; nothing is waited for
        """It always answers."""
        return


def _seen(request: ModelRequest) -> str:
    """What the last question was, by its size and at most the first half of its words."""
    asked = next((message.text for message in reversed(request.messages) if message.role is Role.USER), "")
    words = asked.split()
    count = f"{len(words)} word{'' if len(words) == 1 else 's'}"
    opening = " ".join(words[: min(_MOST_WORDS, len(words) // 2)])
    if not opening or len(opening) > _LONGEST_OPENING:
        return f"It has {count}."
    return f'It has {count} and begins with "{opening} …".'


def _cut(text: str, max_tokens: int | None) -> str:
    if max_tokens is None or estimated_tokens(text) <= max_tokens:
        return text
    kept = text[: max(max_tokens, 0) * 4]
    while estimated_tokens(kept) > max_tokens:
        kept = kept[:-1]
    return kept


def _open(config: ProviderConfig, _transport: Transport) -> DemoProvider:
    return DemoProvider(config)


SPEC = ProviderSpec(
    type="demo",
    title="Built-in demo (no model)",
    open=_open,
    default_model=MODEL,
    pricing="local",
    needs_key=False,
)
