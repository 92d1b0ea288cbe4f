"""A chat completion request as the gateway needs it: what it must contain, and every text a model would read."""

from __future__ import annotations

import re

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_policy import Content
from axonflow_web import strict_json

from axonflow_agent.openai.content import content_of

MODEL_PATH = "model"
_PROVIDER_KEY = re.compile(r"[\x21-\x7e]{1,4096}")


class ChatRequest(msgspec.Struct, frozen=True):
    """A well-formed request: the model it names and all of its text."""

    model: str
    content: Content


def read_chat_request(body: bytes) -> ChatRequest:
    """Check ``body`` in the order that the contract gives and collect what has to be judged.

    Raises:
        Fault: 400 for text that is not one unambiguous JSON object, ``stream: true``, no model or no messages.
    """
    document = strict_json.loads(body)
    if not isinstance(document, dict):
        raise Fault(400, "Invalid request body: a JSON object is expected")
    stream = document.get("stream")
    if stream is not None and stream is not False:  # 0 and [] are no one's idea of false but Python's
        raise Fault(
            400,
            "Streaming is not supported by this gateway: send stream=false, or leave it out",
            code="stream_not_supported",
        )
    model = document.get(MODEL_PATH)
    if not isinstance(model, str) or not model.strip():
        raise Fault(400, "model is required", code="missing_model")
    messages = document.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Fault(400, "messages is required and must be a non-empty array", code="missing_messages")
    if not all(isinstance(message, dict) for message in messages):
        raise Fault(400, "messages must be an array of objects", code="missing_messages")
    return ChatRequest(model, content_of(document))


def read_provider_key(value: str | None) -> str:
    """The key to call the provider with, from ``X-Provider-Key``.

    Raises:
        Fault: 400 when it is missing, or holds anything that cannot stand in a header.
    """
    if value is None or not value.strip():
        raise Fault(400, "X-Provider-Key header is required", code="missing_provider_key")
    key = value.strip()
    if _PROVIDER_KEY.fullmatch(key) is None:
        raise Fault(400, "X-Provider-Key holds characters that no key has", code="missing_provider_key")
    return key
