"""Tokens counted from texts, for providers that say nothing and for holds on budgets; always flagged as estimates."""

from __future__ import annotations

from collections.abc import Iterable

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
    shapes = [(tool.name, tool.description, dict(tool.parameters)) for tool in request.tools]
    return messages + (_shaping([*shapes, dict(request.json_schema or {})]) if shapes or request.json_schema else 0)


def _shaping(shapes: list[object]) -> int:
    try:
        return -(-len(msgspec.json.encode(shapes)) // _BYTES_PER_TOKEN)
    except (TypeError, ValueError, RecursionError):
        return 0  # it cannot be sent either


def estimated_usage(request: ModelRequest, *answers: str) -> TokenUsage:
    """What a call took when its provider did not say.

    Args:
        request: what went in.
        answers: every text that came out, arguments of tool calls included.
    """
    return told_usage(request, answers, prompt=None, completion=None)


def told_usage(
    request: ModelRequest,
    answers: Iterable[str],
    *,
    prompt: int | None,
    completion: int | None,
    cached: int | None = 0,
    cache_writes: int | None = 0,
    reasoning: int | None = 0,
) -> TokenUsage:
    """What a provider told, with estimates for what it did not, and parts never larger than their whole.

    Args:
        request: what went in.
        answers: every text that came out, arguments of tool calls included.
        prompt: all tokens that went in. None, or the zero that no call takes: not told.
        completion: all tokens that came out. None: not told.
        cached: of ``prompt``, read from a cache.
        cache_writes: of ``prompt``, written to a cache.
        reasoning: of ``completion``, shown to nobody.
    """
    estimated = not prompt or completion is None
    went_in = prompt or estimated_prompt(request)
    came_out = sum(map(estimated_tokens, answers)) if completion is None else completion
    from_cache = min(cached or 0, went_in)
    return TokenUsage(
        prompt=went_in,
        completion=came_out,
        cached=from_cache,
        cache_writes=min(cache_writes or 0, went_in - from_cache),
        reasoning=min(reasoning or 0, came_out),
        estimated=estimated,
    )
