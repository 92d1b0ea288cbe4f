"""Gemini's generateContent as both Google AI Studio and Vertex AI speak it: bodies, replies and errors; no address.

Source: https://ai.google.dev/api/generate-content.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec

from axonflow_providers.estimates import told_usage
from axonflow_providers.json_answers import (
    LONGEST_RETRY_AFTER_S,
    cleaned_code,
    cleaned_name,
    decoded,
    fault,
    inner,
    kind_of,
    small_object,
    token_count,
)
from axonflow_providers.protocol import (
    FaultKind,
    Finish,
    HttpAnswer,
    ModelReply,
    ModelRequest,
    ProviderFault,
    Role,
    TokenUsage,
    ToolCall,
)
from axonflow_providers.structured import in_words, object_schema, unfenced
from axonflow_providers.turns import Turn, conversation

_ROLES = {Role.USER: "user", Role.ASSISTANT: "model"}
_BLOCKED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
    }
)
_FINISHES = {"STOP": Finish.STOP, "MAX_TOKENS": Finish.LENGTH, **dict.fromkeys(_BLOCKED, Finish.CONTENT_FILTER)}
_BROKEN = frozenset({"MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE"})
# google.rpc.Code
_KINDS = {
    "UNAUTHENTICATED": FaultKind.CREDENTIALS,
    "PERMISSION_DENIED": FaultKind.CREDENTIALS,
    "FAILED_PRECONDITION": FaultKind.CREDENTIALS,  # billing is off, or the account's country is not served
    "NOT_FOUND": FaultKind.UNKNOWN_MODEL,
    "INVALID_ARGUMENT": FaultKind.INVALID_REQUEST,
    "OUT_OF_RANGE": FaultKind.INVALID_REQUEST,
    "RESOURCE_EXHAUSTED": FaultKind.RATE_LIMITED,
    "UNAVAILABLE": FaultKind.OVERLOADED,
    "ABORTED": FaultKind.OVERLOADED,
    "DEADLINE_EXCEEDED": FaultKind.TIMEOUT,
    "CANCELLED": FaultKind.SERVER,
    "INTERNAL": FaultKind.SERVER,
    "UNKNOWN": FaultKind.SERVER,
}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s")


class _FunctionCall(msgspec.Struct, frozen=True):
    name: str
    id: str | None = None
    args: msgspec.Raw = msgspec.Raw(b"{}")


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    function_call: _FunctionCall | None = None


class _Content(msgspec.Struct, frozen=True):
    parts: tuple[_Part, ...] | None = None


class _Candidate(msgspec.Struct, frozen=True, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None


class _Feedback(msgspec.Struct, frozen=True, rename="camel"):
    block_reason: str | None = None


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    candidates: tuple[_Candidate, ...] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: msgspec.Raw = msgspec.Raw()
    model_version: str | None = None
    response_id: str | None = None


def body_of(request: ModelRequest) -> dict[str, Any]:
    """What is posted.

    Raises:
        ProviderFault: ``INVALID_REQUEST``: nothing is said.
    """
    # Models before Gemini 3 refuse a JSON answer beside functions, so it is then asked for in words.
    worded = in_words(request) if request.tools else ""
    said = conversation(request.messages, worded)
    body: dict[str, Any] = {"contents": [{"role": _ROLES[turn.role], "parts": _parts(turn)} for turn in said.turns]}
    if said.system:
        body["systemInstruction"] = {"parts": [{"text": said.system}]}
    if request.tools:
        body["tools"] = [
            {
                "functionDeclarations": [
                    {
                        "name": tool.name,
                        "description": tool.description,
                        **({"parametersJsonSchema": object_schema(tool.parameters)} if tool.parameters else {}),
                    }
                    for tool in request.tools
                ]
            }
        ]
    if generation := _generation(request):
        body["generationConfig"] = generation
    return body


def _parts(turn: Turn) -> list[dict[str, Any]]:
    images = [
        {"inlineData": {"mimeType": image.mime_type, "data": base64.b64encode(image.data).decode()}}
        for image in turn.images
    ]
    return [*images, *({"text": text} for text in turn.texts)]


def _generation(request: ModelRequest) -> dict[str, Any]:
    given: dict[str, Any] = {
        "maxOutputTokens": request.max_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "stopSequences": list(request.stop) or None,
    }
    if request.json_schema is not None and not request.tools:
        # Not responseSchema: that takes a small part of JSON schema and answers 400 to the rest.
        given |= {"responseMimeType": "application/json", "responseJsonSchema": dict(request.json_schema) or None}
    return {name: value for name, value in given.items() if value is not None}


def reply_of(answer: HttpAnswer, request: ModelRequest) -> ModelReply:
    """The first candidate.

    Raises:
        ProviderFault: ``CONTENT_FILTER`` when the prompt was blocked, ``MALFORMED`` when there is no candidate or the
            model's own answer was broken; both with what was counted.
    """
    found = decoded(answer, _Answer)
    if not found.candidates:
        blocked = found.prompt_feedback.block_reason if found.prompt_feedback else None
        kind = FaultKind.CONTENT_FILTER if blocked else FaultKind.MALFORMED
        raise fault(kind, answer, code=blocked, usage=_usage(found.usage_metadata, request, ()))
    candidate = found.candidates[0]
    parts = (candidate.content.parts if candidate.content else None) or ()
    text = "".join(part.text for part in parts if part.text and not part.thought)
    calls = _calls(parts, answer)
    usage = _usage(found.usage_metadata, request, (text, *(call.arguments for call in calls)))
    reason = candidate.finish_reason or ""
    if reason in _BROKEN and not text and not calls:
        raise fault(FaultKind.MALFORMED, answer, code=reason, usage=usage)
    finish = _FINISHES.get(reason, Finish.OTHER)
    return ModelReply(
        text=unfenced(text) if request.json_schema is not None else text,
        model=cleaned_name(found.model_version, request.model),
        usage=usage,
        finish=Finish.TOOL_CALLS if calls and finish is Finish.STOP else finish,
        tool_calls=calls,
        response_id=cleaned_name(found.response_id),
    )


def _calls(parts: tuple[_Part, ...], answer: HttpAnswer) -> tuple[ToolCall, ...]:
    """The calls, numbered where Gemini gives them no id."""
    asked = [part.function_call for part in parts if part.function_call is not None]
    try:
        return tuple(
            ToolCall(id=call.id or f"call_{number}", name=call.name, arguments=bytes(call.args).decode())
            for number, call in enumerate(asked)
        )
    except UnicodeDecodeError:
        raise fault(FaultKind.MALFORMED, answer) from None


def _usage(raw: msgspec.Raw, request: ModelRequest, answers: tuple[str, ...]) -> TokenUsage:
    """The counts; thoughts stand beside the candidates, results of Google's own tools beside the prompt.

    An answer without a candidate tells no count of any.
    """
    counted = small_object(raw)
    prompt, thoughts = token_count(counted.get("promptTokenCount")), token_count(counted.get("thoughtsTokenCount")) or 0
    completion = token_count(counted.get("candidatesTokenCount"))
    if completion is None and (prompt is not None) and not any(answers):
        completion = 0
    return told_usage(
        request,
        answers,
        prompt=None if prompt is None else prompt + (token_count(counted.get("toolUsePromptTokenCount")) or 0),
        completion=None if completion is None else completion + thoughts,
        cached=token_count(counted.get("cachedContentTokenCount")),
        reasoning=thoughts,
    )


def failure_of(answer: HttpAnswer) -> ProviderFault:
    """What a status other than success means."""
    body = answer.body.strip()
    # Some of Google's front ends put the one error into a list.
    error = inner(small_object(body[1:-1] if body.startswith(b"[") else body), "error")
    status, sentence = error.get("status"), error.get("message")
    listed = error.get("details")
    details = [detail for detail in listed if isinstance(detail, dict)] if isinstance(listed, list) else []
    reasons = {reason for detail in details if isinstance(reason := detail.get("reason"), str)}
    kind = _KINDS.get(status, kind_of(answer.status)) if isinstance(status, str) else kind_of(answer.status)
    said = sentence.lower() if isinstance(sentence, str) else ""
    if kind is FaultKind.INVALID_REQUEST and (reasons & {"API_KEY_INVALID"} or "api key not valid" in said):
        kind = FaultKind.CREDENTIALS
    elif kind is FaultKind.INVALID_REQUEST and "token count" in said and "exceeds" in said:
        kind = FaultKind.TOO_LONG
    elif kind is FaultKind.RATE_LIMITED and _is_quota(details):
        kind = FaultKind.QUOTA
    code = next(iter(sorted(map(cleaned_code, reasons))), "") or status
    found = fault(kind, answer, code=code)
    if found.retry_after_s is None:
        found.retry_after_s = _delay_s(details)
    return found


def _is_quota(details: list[dict[str, Any]]) -> bool:
    """Whether what is used up comes back tomorrow or never, and not within the minute."""
    violations = [each for detail in details if isinstance(given := detail.get("violations"), list) for each in given]
    names = [each.get("quotaId") for each in violations if isinstance(each, dict)]
    return any(isinstance(name, str) and "PerDay" in name for name in names)


def _delay_s(details: list[dict[str, Any]]) -> float | None:
    """``google.rpc.RetryInfo``, which stands in the body instead of a header."""
    for detail in details:
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and (found := _DURATION.fullmatch(delay)):
            return min(float(found[1]), LONGEST_RETRY_AFTER_S)
    return None
