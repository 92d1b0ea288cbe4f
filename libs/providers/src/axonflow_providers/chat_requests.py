"""A call as a chat completion request, in the form that OpenAI made and many others take."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any, Literal

from axonflow_providers.json_answers import encoded
from axonflow_providers.protocol import FaultKind, Image, Message, ModelRequest, ProviderFault, Role, Tool
from axonflow_providers.structured import in_words

MaxTokensField = Literal["max_tokens", "max_completion_tokens"]
StructuredOutput = Literal["json_schema", "json_object", "words"]
SCHEMA_NAME = "answer"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Where takers of the form differ.

    Attributes:
        max_tokens_field: what they call the most tokens of an answer.
        structured_output: the strongest of their switches for answers in JSON; ``words`` is none.
    """

    max_tokens_field: MaxTokensField = "max_tokens"
    structured_output: StructuredOutput = "json_schema"


def chat_body(request: ModelRequest, model: str, dialect: Dialect) -> bytes:
    """The JSON to send; what the request leaves open is left out, so that the provider's own defaults hold.

    Raises:
        ProviderFault: ``INVALID_REQUEST``: there is no message, or one that the form cannot carry.
    """
    if not request.messages:
        raise ProviderFault(FaultKind.INVALID_REQUEST, "No message is given")
    wish = in_words(request) if _worded(request, dialect) else ""
    spoken = [_message(message) for message in request.messages]
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "system", "content": wish}, *spoken] if wish else spoken,
        "stream": False,
        dialect.max_tokens_field: request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop) or None,
        "tools": [_tool(tool) for tool in request.tools] or None,
        "response_format": _response_format(request, dialect),
    }
    return encoded({name: value for name, value in body.items() if value is not None})


def _worded(request: ModelRequest, dialect: Dialect) -> bool:
    """Whether words must say what the switch does not: ``json_object`` knows no schema, and asks for the word JSON."""
    return request.json_schema is not None and (dialect.structured_output != "json_schema" or not request.json_schema)


def _response_format(request: ModelRequest, dialect: Dialect) -> dict[str, Any] | None:
    if request.json_schema is None or dialect.structured_output == "words":
        return None
    if not request.json_schema or dialect.structured_output == "json_object":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": SCHEMA_NAME, "schema": dict(request.json_schema)}}


def _message(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role.value, "content": message.text}
    if message.role is not Role.USER:
        raise ProviderFault(FaultKind.INVALID_REQUEST, "Only a user's message may hold a picture")
    text = [{"type": "text", "text": message.text}] if message.text else []
    return {"role": message.role.value, "content": [*text, *map(_image, message.images)]}


def _image(image: Image) -> dict[str, Any]:
    if not image.mime_type.startswith("image/"):
        raise ProviderFault(FaultKind.INVALID_REQUEST, "The provider takes pictures only")
    address = f"data:{image.mime_type};base64,{base64.b64encode(image.data).decode()}"
    return {"type": "image_url", "image_url": {"url": address}}


def _tool(tool: Tool) -> dict[str, Any]:
    # A function without parameters is one that takes an empty object; several servers insist on seeing it.
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": {name: value for name, value in function.items() if value}}
