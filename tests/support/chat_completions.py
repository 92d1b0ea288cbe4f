"""Chat completions as the official `openai` SDK types them: replies to script, and a strict reading of what we send."""

from __future__ import annotations

import json
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from support.provider_upstream import Answering, answering

_PARAMS = TypeAdapter(CompletionCreateParamsNonStreaming)
_MESSAGES = TypeAdapter(list[ChatCompletionMessageParam])

USAGE: dict[str, Any] = {
    "prompt_tokens": 120,
    "completion_tokens": 30,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 12},
}


def read_request(body: bytes) -> dict[str, Any]:
    """What was sent, once the SDK's types have taken every field of it."""
    sent: dict[str, Any] = json.loads(body)
    unknown = set(sent) - set(CompletionCreateParamsNonStreaming.__annotations__)
    assert not unknown, unknown
    _PARAMS.validate_python(sent)
    _MESSAGES.validate_python(sent["messages"])
    return sent


def completion(message: dict[str, Any] | None = None, *, finish: str = "stop", **changed: Any) -> dict[str, Any]:
    """A reply that the SDK's own model has validated; ``changed`` replaces fields at its top."""
    value: dict[str, Any] = {
        "id": "chatcmpl-Abc123",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "logprobs": None,
                "message": {"role": "assistant", "content": "Hello.", "refusal": None, **(message or {})},
            }
        ],
        "usage": USAGE,
        **changed,
    }
    return ChatCompletion.model_validate(value).model_dump(mode="json")


def refused(status: int, code: str | None, *, kind: str = "invalid_request_error", said: str = "No.") -> Answering:
    """An error as OpenAI writes it."""
    error = {"message": said, "type": kind, "param": None, "code": code}
    return answering({"error": error}, status=status)
