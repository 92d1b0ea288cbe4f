"""Amazon Bedrock's Converse: bodies, replies and errors; no address and no signature.

Source: "Converse", Amazon Bedrock API reference.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from axonflow_providers.claude import is_claude, is_plain
from axonflow_providers.estimates import told_usage
from axonflow_providers.json_answers import (
    cleaned_name,
    decoded,
    error_object,
    fault,
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
    TokenUsage,
    ToolCall,
)
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

_FINISHES = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "tool_use": Finish.TOOL_CALLS,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "guardrail_intervened": Finish.CONTENT_FILTER,
    "content_filtered": Finish.CONTENT_FILTER,
}
ACCESS_DENIED = "AccessDeniedException"
_KINDS = {
    ACCESS_DENIED: FaultKind.CREDENTIALS,
    "UnrecognizedClientException": FaultKind.CREDENTIALS,
    "InvalidSignatureException": FaultKind.CREDENTIALS,
    "IncompleteSignatureException": FaultKind.CREDENTIALS,
    "SignatureDoesNotMatch": FaultKind.CREDENTIALS,
    "MissingAuthenticationTokenException": FaultKind.CREDENTIALS,
    "InvalidClientTokenId": FaultKind.CREDENTIALS,
    "ExpiredTokenException": FaultKind.CREDENTIALS,
    "ExpiredToken": FaultKind.CREDENTIALS,
    "ResourceNotFoundException": FaultKind.UNKNOWN_MODEL,
    "ValidationException": FaultKind.INVALID_REQUEST,
    "ServiceQuotaExceededException": FaultKind.QUOTA,
    "ThrottlingException": FaultKind.RATE_LIMITED,
    "TooManyRequestsException": FaultKind.RATE_LIMITED,
    "ModelNotReadyException": FaultKind.OVERLOADED,
    "ServiceUnavailableException": FaultKind.OVERLOADED,
    "ModelTimeoutException": FaultKind.TIMEOUT,
    "ModelErrorException": FaultKind.SERVER,
    "InternalServerException": FaultKind.SERVER,
    "InternalFailure": FaultKind.SERVER,
}
# One exception stands for several faults; only its sentence tells them apart.
_PHRASES = {
    FaultKind.INVALID_REQUEST: (
        ("too long", FaultKind.TOO_LONG),
        ("too many input tokens", FaultKind.TOO_LONG),
        ("context limit", FaultKind.TOO_LONG),
        ("maximum context length", FaultKind.TOO_LONG),
        ("model identifier is invalid", FaultKind.UNKNOWN_MODEL),
        ("on-demand throughput", FaultKind.UNKNOWN_MODEL),
    ),
    FaultKind.RATE_LIMITED: (("per day", FaultKind.QUOTA),),
}


class _ToolUse(msgspec.Struct, frozen=True, rename="camel"):
    tool_use_id: str
    name: str
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Block(msgspec.Struct, frozen=True, rename="camel"):
    text: str | None = None
    tool_use: _ToolUse | None = None


class _Message(msgspec.Struct, frozen=True):
    content: tuple[_Block, ...]


class _Output(msgspec.Struct, frozen=True):
    message: _Message


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    output: _Output
    stop_reason: str | None = None
    usage: msgspec.Raw = msgspec.Raw()


def body_of(request: ModelRequest) -> dict[str, Any]:
    """What is posted.

    Raises:
        ProviderFault: ``INVALID_REQUEST``: nothing is said, or a picture is of a kind that Bedrock does not take.
    """
    forced = _is_forced(request)
    said = conversation(request.messages, "" if forced else in_words(request))
    body: dict[str, Any] = {"messages": [{"role": str(turn.role), "content": _content(turn)} for turn in said.turns]}
    if said.system:
        body["system"] = [{"text": said.system}]
    if inference := _inference(request):
        body["inferenceConfig"] = inference
    if request.tools:
        body["toolConfig"] = {
            "tools": [_tool(tool.name, tool.description, object_schema(tool.parameters)) for tool in request.tools]
        }
    if forced:
        schema = object_schema(request.json_schema or {})
        body["toolConfig"] = {
            "tools": [_tool(ANSWER_TOOL, ANSWER_TOOL_DESCRIPTION, schema)],
            "toolChoice": {"tool": {"name": ANSWER_TOOL}},
        }
    return body


def _is_forced(request: ModelRequest) -> bool:
    """Whether a tool must be called with the JSON answer: only models of Anthropic and Amazon's Nova let one be named.

    Source: "ToolChoice", Amazon Bedrock API reference; for later Claude models ``claude.is_plain``.
    """
    return by_tool(request) and (is_plain(request.model) or "amazon.nova" in request.model)


def _content(turn: Turn) -> list[dict[str, Any]]:
    images = [
        {"image": {"format": image_format(image), "source": {"bytes": base64.b64encode(image.data).decode()}}}
        for image in turn.images
    ]
    return [*images, *({"text": text} for text in turn.texts)]


def _tool(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    described = {"description": description} if description else {}
    return {"toolSpec": {"name": name, **described, "inputSchema": {"json": schema}}}


def _inference(request: ModelRequest) -> dict[str, Any]:
    given: dict[str, Any] = {"maxTokens": request.max_tokens, "stopSequences": list(request.stop) or None}
    if is_plain(request.model) or not is_claude(request.model):
        given |= {"temperature": request.temperature, "topP": request.top_p}
        if is_claude(request.model) and request.temperature is not None:
            del given["topP"]  # Claude from 4.1 on takes one of the two
    return {name: value for name, value in given.items() if value is not None}


def reply_of(answer: HttpAnswer, request: ModelRequest) -> ModelReply:
    """The message; Bedrock names neither who answered nor, in the body, an id.

    Raises:
        ProviderFault: ``MALFORMED``.
    """
    found = decoded(answer, _Answer)
    blocks = found.output.message.content
    text = "".join(block.text for block in blocks if block.text)
    calls = tuple(_call(block.tool_use, answer) for block in blocks if block.tool_use is not None)
    finish = _FINISHES.get(found.stop_reason or "", Finish.OTHER)
    if _is_forced(request):
        given = carried(calls)
        finish = Finish.STOP if given is not None and finish is Finish.TOOL_CALLS else finish
        text, calls = text if given is None else given, ()
    return ModelReply(
        text=unfenced(text) if request.json_schema is not None else text,
        model=request.model,
        usage=_usage(found.usage, request, (text, *(call.arguments for call in calls))),
        finish=finish,
        tool_calls=calls,
        response_id=cleaned_name(answer.headers.get("x-amzn-requestid")),
    )


def _call(use: _ToolUse, answer: HttpAnswer) -> ToolCall:
    try:
        return ToolCall(id=use.tool_use_id, name=use.name, arguments=bytes(use.input).decode())
    except UnicodeDecodeError:
        raise fault(FaultKind.MALFORMED, answer) from None


def _usage(raw: msgspec.Raw, request: ModelRequest, answers: tuple[str, ...]) -> TokenUsage:
    """The counts; what the cache gave and took stands beside inputTokens, as the total shows."""
    counted = small_object(raw)
    prompt, completion = token_count(counted.get("inputTokens")), token_count(counted.get("outputTokens"))
    cached = token_count(counted.get("cacheReadInputTokens")) or 0
    writes = token_count(counted.get("cacheWriteInputTokens")) or 0
    total = token_count(counted.get("totalTokens"))
    # A model whose total is reached without them counts them into inputTokens.
    if prompt is not None and total != prompt + (completion or 0):
        prompt += cached + writes
    return told_usage(request, answers, prompt=prompt, completion=completion, cached=cached, cache_writes=writes)


def failure_of(answer: HttpAnswer) -> ProviderFault:
    """What a status other than success means; the exception's name stands in a header, by some fronts in the body."""
    body = error_object(answer)
    named = answer.headers.get("x-amzn-errortype") or body.get("__type") or ""
    # A namespace may stand before the name, and an address behind it.
    code = named.partition(":")[0].rpartition("#")[2] if isinstance(named, str) else ""
    sentence = body.get("message", body.get("Message"))
    kind = _KINDS.get(code, kind_of(answer.status))
    if isinstance(sentence, str):
        said = sentence.lower()
        kind = next((meant for phrase, meant in _PHRASES.get(kind, ()) if phrase in said), kind)
    return fault(kind, answer, code=code)
