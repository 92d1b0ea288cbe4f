"""Tokens counted from texts, for providers that say nothing and for holds on budgets; always flagged as estimates."""

from __future__ import annotations

import msgspec

from axonflow_providers.protocol import ModelRequest, TokenUsage

# English takes about four characters a token with every common tokenizer; UTF-8 bytes keep other scripts in proportion.
_BYTES_PER_TOKEN = 4
# Role and separators of one message, as chat templates write them.
_PER_MESSAGE = 4
# A picture of a common size at full detail.
_PER_IMAGE = 1_000


def estimated_tokens(text: str) -> int:
    """About how many tokens ``text`` is; 0 only for an empty one."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN)


def estimated_prompt(request: ModelRequest) -> int:
    """About how many tokens go in: messages, pictures, tools and the schema."""
    messages = sum(
        _PER_MESSAGE + estimated_tokens(message.text) + _PER_IMAGE * len(message.images) for message in request.messages
    )
    shapes = [(tool.name, tool.description, tool.parameters) for tool in request.tools]
    shaping = len(msgspec.json.encode([shapes, request.json_schema])) // _BYTES_PER_TOKEN
    return messages + (shaping if shapes or request.json_schema else 0)


def estimated_usage(request: ModelRequest, *answers: str) -> TokenUsage:
    """What a call took when its provider did not say.

    Args:
        request: what went in.
        answers: every text that came out, arguments of tool calls included.
    """
    completion = sum(map(estimated_tokens, answers))
    return TokenUsage(prompt=estimated_prompt(request), completion=completion, estimated=True)
