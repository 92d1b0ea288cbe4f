"""A chat completion request as the gateway needs it: what it must contain, and every text a model would read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_policy import Content, Part
from axonflow_web import strict_json

# A property name of this shape carries no message to a model; any other key is judged like text.
_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$\-]{0,63}")
# Media is judged by its own analysers; as text it would only be noise.
_MEDIA_URL = re.compile(r"data:(?:image|audio|video)/[a-z0-9.+\-]+;base64,", re.IGNORECASE)
_ARGUMENTS = "arguments"
# Words of the protocol itself, at the keys where they stand; anything else found there is judged.
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_TYPES = frozenset({"text", "function", "image_url", "input_audio", "file", "refusal", "json_schema", "json_object"})
_PROTOCOL_WORDS = {"role": _ROLES, "type": _TYPES}
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
    if document.get("stream") not in {None, False}:
        raise Fault(
            400,
            "Streaming is not supported by this gateway: send stream=false, or leave it out",
            code="stream_not_supported",
        )
    model = document.get("model")
    if not isinstance(model, str) or not model.strip():
        raise Fault(400, "model is required", code="missing_model")
    messages = document.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Fault(400, "messages is required and must be a non-empty array", code="missing_messages")
    if not all(isinstance(message, dict) for message in messages):
        raise Fault(400, "messages must be an array of objects", code="missing_messages")
    rest = {key: value for key, value in document.items() if key != "messages"}
    # The conversation comes first, since the row keeps the beginning of what was judged.
    parts = (*_texts(messages, "messages", structured=False), *_texts(rest, "", structured=False))
    return ChatRequest(model, Content(parts))


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


def _texts(node: Any, path: str, *, structured: bool) -> Iterator[Part]:
    """Every string below ``node`` with where it stands; the depth is bounded by the JSON reader."""
    if isinstance(node, str):
        yield from _text(node, path, structured=structured)
    elif isinstance(node, dict):
        for key, value in node.items():
            below = f"{path}.{key}" if path else key
            if _PLAIN_KEY.fullmatch(key) is None:
                yield Part(f"{below}#key", key, structured)
            if key in _PROTOCOL_WORDS and isinstance(value, str) and value in _PROTOCOL_WORDS[key]:
                continue
            yield from _texts(value, below, structured=structured or key == _ARGUMENTS)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _texts(value, f"{path}[{index}]", structured=structured)


def _text(text: str, path: str, *, structured: bool) -> Iterator[Part]:
    if not text or _MEDIA_URL.match(text) or path.endswith(".input_audio.data"):
        return
    yield Part(path, text, structured)
    # Arguments are JSON in a string: an escape such as \u0027 hides nothing from the tool that parses them.
    if structured and "\\" in text:
        try:
            decoded = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(decoded, str):
            yield from _texts(decoded, f"{path}#decoded", structured=False)
