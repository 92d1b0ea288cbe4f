"""The answer to a chat completion request, as OpenAI, Azure and servers that follow them write it."""

from __future__ import annotations

from typing import Any

import msgspec

from axonflow_providers.estimates import told_usage
from axonflow_providers.json_answers import (
    cleaned_code,
    cleaned_name,
    decoded,
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
    ProviderFault,
    TokenUsage,
    ToolCall,
)
from axonflow_providers.structured import unfenced

_NOTHING = msgspec.Raw(b"null")
# Beside OpenAI's own words: Mistral's `model_length`, Together's `eos`.
_FINISHES = {
    "stop": Finish.STOP,
    "eos": Finish.STOP,
    "length": Finish.LENGTH,
    "model_length": Finish.LENGTH,
    "tool_calls": Finish.TOOL_CALLS,
    "function_call": Finish.TOOL_CALLS,
    "content_filter": Finish.CONTENT_FILTER,
}
# Codes that say more than their status; lower case.
_KINDS = {
    "insufficient_quota": FaultKind.QUOTA,
    "billing_not_active": FaultKind.QUOTA,
    "billing_hard_limit_reached": FaultKind.QUOTA,
    "insufficient_balance": FaultKind.QUOTA,
    "context_length_exceeded": FaultKind.TOO_LONG,
    "string_above_max_length": FaultKind.TOO_LONG,
    "request_too_large": FaultKind.TOO_LONG,
    "content_filter": FaultKind.CONTENT_FILTER,
    "content_policy_violation": FaultKind.CONTENT_FILTER,
    "responsibleaipolicyviolation": FaultKind.CONTENT_FILTER,
    "model_not_found": FaultKind.UNKNOWN_MODEL,
    "invalid_model": FaultKind.UNKNOWN_MODEL,
    "deploymentnotfound": FaultKind.UNKNOWN_MODEL,
    "invalid_api_key": FaultKind.CREDENTIALS,
}
# Servers without a code for it (vLLM, llama.cpp and others) say it in their sentence alone.
_TOO_LONG = ("maximum context length", "context length", "context window", "context size", "too many tokens")
_READ_OF_A_SENTENCE = 2_000


class _Function(msgspec.Struct, frozen=True):
    name: str
    arguments: msgspec.Raw = msgspec.Raw(b'"{}"')


class _Call(msgspec.Struct, frozen=True):
    id: str | None = None
    function: _Function | None = None


class _Part(msgspec.Struct, frozen=True):
    type: str
    text: str | None = None
    refusal: str | None = None


class _Message(msgspec.Struct, frozen=True):
    content: str | list[_Part] | msgspec.UnsetType | None = msgspec.UNSET
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct, frozen=True):
    choices: list[_Choice] | None = None
    id: str | int | None = None
    model: str | None = None
    usage: msgspec.Raw = _NOTHING
    error: msgspec.Raw = _NOTHING


def chat_reply(answer: HttpAnswer, request: ModelRequest, model: str) -> ModelReply:
    """The reply that an answer holds; of several choices, the first.

    Args:
        answer: of whatever status.
        request: what was asked; usage is estimated from it where the answer tells none.
        model: the model that was asked.

    Raises:
        ProviderFault: the answer is an error, or none that the form allows.
    """
    if not succeeded(answer):
        raise chat_fault(answer)
    completion = decoded(answer, _Completion)
    if not completion.choices:
        raise _fault_inside(answer, completion)
    choice = completion.choices[0]
    calls = tuple(_call(answer, call, place) for place, call in enumerate(choice.message.tool_calls or ()))
    text, refused = _texts(choice.message)
    if request.json_schema is not None:
        text = unfenced(text)
    usage = _usage(completion, request, [text, *(call.arguments for call in calls)])
    if choice.finish_reason == "error":  # OpenRouter and Mistral, when the model broke off
        raise fault(FaultKind.SERVER, answer, usage=usage)
    finish = _finish(choice, refused=refused, calls=calls)
    if not text and not calls and choice.message.content is msgspec.UNSET and finish is not Finish.CONTENT_FILTER:
        raise fault(FaultKind.MALFORMED, answer, usage=usage)
    return ModelReply(
        text=text,
        model=cleaned_name(completion.model, model),
        usage=usage,
        finish=finish,
        tool_calls=calls,
        response_id=cleaned_name(completion.id),
    )


def _texts(message: _Message) -> tuple[str, bool]:
    """What is said, and whether it is a refusal; thoughts and citations among the parts are left out."""
    if isinstance(message.content, list):
        text = "".join(part.text or "" for part in message.content if part.type in {"text", "output_text"})
        refusal = "".join(part.refusal or "" for part in message.content if part.type == "refusal")
    else:
        text, refusal = message.content or "", ""
    refusal = message.refusal or refusal
    return (text or refusal), bool(refusal)


def _call(answer: HttpAnswer, call: _Call, place: int) -> ToolCall:
    if call.function is None:
        raise fault(FaultKind.MALFORMED, answer)
    raw = bytes(call.function.arguments)
    try:
        # Text as the API promises; older servers send the object itself.
        arguments = msgspec.json.decode(raw, type=str) if raw.startswith(b'"') else raw.decode()
    except (msgspec.MsgspecError, ValueError):
        raise fault(FaultKind.MALFORMED, answer) from None
    return ToolCall(id=cleaned_name(call.id, f"call_{place}"), name=call.function.name, arguments=arguments)


def _finish(choice: _Choice, *, refused: bool, calls: tuple[ToolCall, ...]) -> Finish:
    if refused:
        return Finish.CONTENT_FILTER
    found = _FINISHES.get(choice.finish_reason or "", Finish.OTHER)
    return Finish.TOOL_CALLS if calls and found is Finish.STOP else found


def _usage(completion: _Completion, request: ModelRequest, texts: list[str]) -> TokenUsage:
    told = small_object(completion.usage)
    into, out_of = inner(told, "prompt_tokens_details"), inner(told, "completion_tokens_details")
    cached = token_count(into.get("cached_tokens"))
    return told_usage(
        request,
        texts,
        prompt=token_count(told.get("prompt_tokens")),
        completion=token_count(told.get("completion_tokens")),
        cached=token_count(told.get("prompt_cache_hit_tokens")) if cached is None else cached,  # DeepSeek's name
        cache_writes=token_count(into.get("cache_write_tokens")),
        reasoning=token_count(out_of.get("reasoning_tokens")),
    )


def _fault_inside(answer: HttpAnswer, completion: _Completion) -> ProviderFault:
    """An error under a good status: OpenRouter answers so once a model has begun."""
    error = small_object(completion.error)
    code = error.get("code")
    if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600:
        return chat_fault(HttpAnswer(code, answer.headers, b'{"error":' + bytes(completion.error) + b"}"))
    kind = _KINDS.get(cleaned_code(code).lower(), FaultKind.SERVER) if error else FaultKind.MALFORMED
    return fault(kind, answer, code=code)


def chat_fault(answer: HttpAnswer) -> ProviderFault:
    """What an error status means, with the code and the sentence that came with it; the sentence is not kept."""
    body = error_object(answer)
    error = inner(body, "error") or body
    codes = [
        cleaned_code(code) for code in (error.get("code"), error.get("type"), inner(error, "innererror").get("code"))
    ]
    kind = next((_KINDS[code.lower()] for code in codes if code.lower() in _KINDS), None)
    return fault(kind or _kind_by_text(answer.status, error), answer, code=next(filter(None, codes), ""))


def _kind_by_text(status: int, error: dict[str, Any]) -> FaultKind:
    if status == 403 and inner(error, "metadata").get("reasons"):  # OpenRouter: the input was flagged
        return FaultKind.CONTENT_FILTER
    said = next((said for said in map(error.get, ("message", "error", "detail")) if isinstance(said, str)), "")
    sentence = said[:_READ_OF_A_SENTENCE].lower()
    if status in {400, 422} and any(phrase in sentence for phrase in _TOO_LONG):
        return FaultKind.TOO_LONG
    return kind_of(status)
