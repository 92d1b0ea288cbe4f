"""Anthropic's Messages API, and whatever else speaks it: https://docs.anthropic.com/en/api/messages."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import msgspec

from axonflow_providers.addresses import checked_headers, merged_headers, model_named, url_of
from axonflow_providers.claude import is_claude, is_plain
from axonflow_providers.estimates import told_usage
from axonflow_providers.json_answers import (
    cleaned_name,
    decoded,
    encoded,
    error_object,
    fault,
    inner,
    kind_of,
    small_object,
    succeeded,
    token_count,
)
from axonflow_providers.protocol import (
    FaultKind,
    Finish,
    HttpAnswer,
    ModelReply,
    ModelRequest,
    ProviderConfig,
    ProviderFault,
    TokenUsage,
    ToolCall,
    Transport,
)
from axonflow_providers.registry import ProviderSpec
from axonflow_providers.structured import (
    ANSWER_TOOL,
    ANSWER_TOOL_DESCRIPTION,
    by_tool,
    carried,
    in_words,
    object_schema,
    unfenced,
)
from axonflow_providers.turns import Turn, conversation, image_format

DEFAULT_MAX_TOKENS = 4_096
_ENDPOINT = "https://api.anthropic.com"
_MODEL = "claude-sonnet-4-5"
_VERSION = "2023-06-01"

_FINISHES = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "tool_use": Finish.TOOL_CALLS,
    "refusal": Finish.CONTENT_FILTER,
}
# https://docs.anthropic.com/en/api/errors
_KINDS = {
    "authentication_error": FaultKind.CREDENTIALS,
    "permission_error": FaultKind.CREDENTIALS,
    "billing_error": FaultKind.QUOTA,
    "not_found_error": FaultKind.UNKNOWN_MODEL,
    "request_too_large": FaultKind.TOO_LONG,
    "rate_limit_error": FaultKind.RATE_LIMITED,
    "timeout_error": FaultKind.TIMEOUT,
    "api_error": FaultKind.SERVER,
    "overloaded_error": FaultKind.OVERLOADED,
}
# The API has one type for all that is wrong with a request; only its sentence tells these apart.
_PHRASES = (
    ("prompt is too long", FaultKind.TOO_LONG),
    ("exceed context limit", FaultKind.TOO_LONG),
    ("credit balance", FaultKind.QUOTA),
    ("usage limit", FaultKind.QUOTA),
    ("content filtering policy", FaultKind.CONTENT_FILTER),
)


class _Block(msgspec.Struct, frozen=True):
    type: str
    text: Any = None
    id: Any = None
    name: Any = None
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Message(msgspec.Struct, frozen=True):
    content: tuple[_Block, ...]
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: msgspec.Raw = msgspec.Raw()


class Anthropic:
    """One account, or one endpoint of the same interface."""

    def __init__(self, config: ProviderConfig, transport: Transport) -> None:
        self._config = config
        self._transport = transport
        self._base = (config.endpoint or _ENDPOINT).rstrip("/").removesuffix("/v1")

    @property
    def config(self) -> ProviderConfig:
        """What it was made from."""
        return self._config

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the model once.

        Raises:
            ProviderFault: it gave no usable reply.
        """
        request = dataclasses.replace(request, model=model_named(request.model, self._config.model, _MODEL))
        ours = {**self._headers(), "content-type": "application/json"}
        answer = await self._transport.send(
            "POST",
            url_of(self._base, "v1", "messages"),
            headers=merged_headers(checked_headers(request.headers), ours),
            body=encoded(_body(request)),
            timeout_s=request.timeout_s,
        )
        if not succeeded(answer):
            raise _failure(answer)
        return _reply(answer, request)

    async def probe(self, timeout_s: float) -> None:
        """List one model, which needs the key and costs nothing.

        Raises:
            ProviderFault: it would not answer.
        """
        url = url_of(self._base, "v1", "models", query={"limit": "1"})
        answer = await self._transport.send("GET", url, headers=self._headers(), timeout_s=timeout_s)
        if not succeeded(answer):
            raise _failure(answer)

    def _headers(self) -> dict[str, str]:
        headers = {"accept": "application/json", "anthropic-version": _VERSION}
        if self._config.api_key:
            headers["x-api-key"] = self._config.api_key.reveal()
        return headers


def _body(request: ModelRequest) -> dict[str, Any]:
    forced = _is_forced(request)
    said = conversation(request.messages, "" if forced else in_words(request))
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": DEFAULT_MAX_TOKENS if request.max_tokens is None else request.max_tokens,
        "messages": [{"role": str(turn.role), "content": _content(turn)} for turn in said.turns],
        **_sampling(request),
    }
    if said.system:
        body["system"] = said.system
    if request.stop:
        body["stop_sequences"] = list(request.stop)
    if request.tools:
        body["tools"] = [
            {
                "name": tool.name,
                **({"description": tool.description} if tool.description else {}),
                "input_schema": object_schema(tool.parameters),
            }
            for tool in request.tools
        ]
    if forced:
        schema = object_schema(request.json_schema or {})
        body["tools"] = [{"name": ANSWER_TOOL, "description": ANSWER_TOOL_DESCRIPTION, "input_schema": schema}]
        body["tool_choice"] = {"type": "tool", "name": ANSWER_TOOL}
    return body


def _is_forced(request: ModelRequest) -> bool:
    """Whether a tool must be called with the JSON answer; later Claude models refuse that and are asked in words."""
    return by_tool(request) and (is_plain(request.model) or not is_claude(request.model))


def _sampling(request: ModelRequest) -> dict[str, Any]:
    """Temperature and top_p where the model takes them.

    Later Claude models answer 400 to either, those from 4.1 to both at once; a preference in style is then better
    left out than the call refused, and of the two the temperature is what callers set.
    """
    if is_claude(request.model) and not is_plain(request.model):
        return {}
    if request.temperature is not None:
        both = {} if is_claude(request.model) or request.top_p is None else {"top_p": request.top_p}
        return {"temperature": request.temperature, **both}
    return {} if request.top_p is None else {"top_p": request.top_p}


def _content(turn: Turn) -> list[dict[str, Any]]:
    """Pictures stand before the text, as the documentation advises."""
    images = [
        {
            "type": "image",
            "source": {
                "type": "base64",
                "media_type": f"image/{image_format(image)}",
                "data": base64.b64encode(image.data).decode(),
            },
        }
        for image in turn.images
    ]
    return [*images, *({"type": "text", "text": text} for text in turn.texts)]


def _reply(answer: HttpAnswer, request: ModelRequest) -> ModelReply:
    message = decoded(answer, _Message)
    text = "".join(block.text for block in message.content if block.type == "text" and isinstance(block.text, str))
    calls = tuple(_call(block, answer) for block in message.content if block.type == "tool_use")
    finish = _FINISHES.get(message.stop_reason or "", Finish.OTHER)
    if _is_forced(request):
        given = carried(calls)
        finish = Finish.STOP if given is not None and finish is Finish.TOOL_CALLS else finish
        text, calls = text if given is None else given, ()
    return ModelReply(
        text=unfenced(text) if request.json_schema is not None else text,
        model=cleaned_name(message.model, request.model),
        usage=_usage(message.usage, request, (text, *(call.arguments for call in calls))),
        finish=finish,
        tool_calls=calls,
        response_id=cleaned_name(message.id),
    )


def _call(block: _Block, answer: HttpAnswer) -> ToolCall:
    if not isinstance(block.id, str) or not isinstance(block.name, str):
        raise fault(FaultKind.MALFORMED, answer)
    try:
        return ToolCall(id=block.id, name=block.name, arguments=bytes(block.input).decode())
    except UnicodeDecodeError:
        raise fault(FaultKind.MALFORMED, answer) from None


def _usage(raw: msgspec.Raw, request: ModelRequest, answers: tuple[str, ...]) -> TokenUsage:
    """The counts; Anthropic's input_tokens are those that neither came from the cache nor went there."""
    counted = small_object(raw)
    fresh = token_count(counted.get("input_tokens"))
    cached = token_count(counted.get("cache_read_input_tokens")) or 0
    writes = token_count(counted.get("cache_creation_input_tokens")) or 0
    return told_usage(
        request,
        answers,
        prompt=None if fresh is None else fresh + cached + writes,
        completion=token_count(counted.get("output_tokens")),
        cached=cached,
        cache_writes=writes,
        reasoning=token_count(inner(counted, "output_tokens_details").get("thinking_tokens")),
    )


def _failure(answer: HttpAnswer) -> ProviderFault:
    error = inner(error_object(answer), "error")
    code, sentence = error.get("type"), error.get("message")
    kind = _KINDS.get(code, kind_of(answer.status)) if isinstance(code, str) else kind_of(answer.status)
    if isinstance(sentence, str) and kind is FaultKind.INVALID_REQUEST:
        kind = next((meant for phrase, meant in _PHRASES if phrase in sentence.lower()), kind)
    return fault(kind, answer, code=code)


SPEC = ProviderSpec(
    type="anthropic",
    title="Anthropic",
    open=Anthropic,
    default_endpoint=_ENDPOINT,
    default_model=_MODEL,
    pricing="anthropic",
)
