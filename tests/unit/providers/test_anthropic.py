"""Anthropic: what is sent parses as the SDK's own types, what comes back is built from them."""

from __future__ import annotations

import base64
import json
import warnings
from typing import Any

import pytest
from axonflow_providers.anthropic import DEFAULT_MAX_TOKENS, SPEC, Anthropic
from axonflow_providers.protocol import (
    FaultKind,
    Finish,
    HttpAnswer,
    Image,
    ModelReply,
    ModelRequest,
    ProviderConfig,
    ProviderFault,
    Role,
    TokenUsage,
)
from axonflow_settings import Secret
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from support.provider_calls import PNG, PROMPT, SCHEMA, Wire, asking, fault_of, full_request, json_values, like, said

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from anthropic import types as sdk

KEY = "sk-ant-secret"
CONFIG = ProviderConfig(name="claude", type="anthropic", api_key=Secret(KEY))
PLAIN, LATER = "claude-sonnet-4-5", "claude-opus-4-7"
REQUEST: TypeAdapter[Any] = TypeAdapter(sdk.message_create_params.MessageCreateParamsNonStreaming)
SAMPLE: dict[str, Any] = {
    "id": "msg_01",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "x"},
        {"type": "text", "text": "It is "},
        {"type": "text", "text": "sunny."},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Köln"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 10,
        "cache_read_input_tokens": 200,
        "cache_creation_input_tokens": 30,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 20},
    },
}


def answer(value: Any, status: int = 200, **headers: str) -> HttpAnswer:
    return HttpAnswer(status, headers, value if isinstance(value, bytes) else json.dumps(value).encode())


def message(**changed: Any) -> HttpAnswer:
    """A reply that the SDK takes for one."""
    return answer(sdk.Message.model_validate({**SAMPLE, **changed}, strict=True).model_dump())


async def sent(request: ModelRequest) -> dict[str, Any]:
    """The body, once the SDK's types have taken it; the sampling parameters left those types with the later models."""
    wire = Wire(message())
    await Anthropic(CONFIG, wire).complete(request)
    body = json.loads(wire.sent[0][3])
    REQUEST.validate_python(body)
    known = set(sdk.message_create_params.MessageCreateParamsNonStreaming.__annotations__)
    known |= set(sdk.message_create_params.MessageCreateParamsBase.__annotations__)
    assert set(body) <= known | {"temperature", "top_p"}
    return body  # type: ignore[no-any-return]


async def reply(given_answer: HttpAnswer, request: ModelRequest | None = None) -> ModelReply:
    return await Anthropic(CONFIG, Wire(given_answer)).complete(request or asking(model=PLAIN))


async def test_a_whole_request_is_one_that_the_sdk_takes() -> None:
    body = await sent(full_request(PLAIN))
    assert body["system"] == "Be brief.\n\nBe kind."
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    picture, question, further = body["messages"][2]["content"]
    assert base64.b64decode(picture["source"]["data"]) == PNG
    assert picture["source"]["media_type"] == "image/png"
    assert (question["text"], further["text"]) == ("What is this?", "And the weather?")
    assert (body["max_tokens"], body["temperature"], body["stop_sequences"]) == (77, 0.5, ["END"])
    assert body["tools"] == [{"name": "weather", "description": "Tells the weather.", "input_schema": SCHEMA}]
    assert "tool_choice" not in body


async def test_the_key_goes_into_a_header_that_no_request_replaces() -> None:
    wire = Wire(message())
    await Anthropic(CONFIG, wire).complete(asking(headers={"X-Api-Key": "theirs", "traceparent": "00-1"}))
    method, url, headers, _ = wire.sent[0]
    assert (method, url) == ("POST", "https://api.anthropic.com/v1/messages")
    assert headers["x-api-key"] == KEY
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["traceparent"] == "00-1"
    assert [name.lower() for name in headers].count("x-api-key") == 1


async def test_a_limit_is_always_sent_since_the_interface_asks_for_one() -> None:
    assert (await sent(asking(model=PLAIN)))["max_tokens"] == DEFAULT_MAX_TOKENS == 4096


@pytest.mark.parametrize("model", [PLAIN, "claude-3-5-haiku-20241022", "claude-opus-4-20250514", "claude-opus-4-6"])
async def test_claude_up_to_4_6_gets_one_sampling_parameter(model: str) -> None:
    body = await sent(asking(model=model, temperature=0.2, top_p=0.9))
    assert body["temperature"] == 0.2
    assert "top_p" not in body
    assert (await sent(asking(model=model, top_p=0.9)))["top_p"] == 0.9


@pytest.mark.parametrize("model", [LATER, "claude-sonnet-5", "claude-haiku-5-5", "claude-mythos-preview"])
async def test_later_claude_gets_none_for_it_would_refuse_the_call(model: str) -> None:
    body = await sent(asking(model=model, temperature=0.2, top_p=0.9))
    assert not {"temperature", "top_p"} & set(body)


async def test_another_model_at_the_same_interface_gets_both() -> None:
    body = await sent(asking(model="kimi-k2", temperature=0.2, top_p=0.9))
    assert (body["temperature"], body["top_p"]) == (0.2, 0.9)


async def test_json_is_carried_by_a_tool_that_must_be_called() -> None:
    request = asking(model=PLAIN, json_schema=SCHEMA)
    body = await sent(request)
    assert body["tools"][0]["input_schema"] == SCHEMA
    assert body["tool_choice"] == {"type": "tool", "name": body["tools"][0]["name"]}
    carried = {"type": "tool_use", "id": "t", "name": body["tools"][0]["name"], "input": {"city": "Köln"}}
    got = await reply(message(content=[carried]), request)
    assert json.loads(got.text) == {"city": "Köln"}
    assert (got.tool_calls, got.finish) == ((), Finish.STOP)


@pytest.mark.parametrize(
    "request_",
    [
        asking(model=LATER, json_schema=SCHEMA),
        asking(model=PLAIN, json_schema={"type": "array"}),
        asking(model=PLAIN, json_schema=SCHEMA, tools=full_request("").tools),
    ],
    ids=["a later model", "no object", "beside tools"],
)
async def test_where_no_tool_can_carry_it_json_is_asked_for_in_words(request_: ModelRequest) -> None:
    body = await sent(request_)
    assert "tool_choice" not in body
    assert json.dumps(request_.json_schema, separators=(",", ":")) in body["system"]
    got = await reply(message(content=[{"type": "text", "text": '```json\n{"city": "Bonn"}\n```'}]), request_)
    assert json.loads(got.text) == {"city": "Bonn"}


async def test_a_code_fence_stays_where_nobody_asked_for_json() -> None:
    fenced = "```json\n{}\n```"
    assert (await reply(message(content=[{"type": "text", "text": fenced}]))).text == fenced


async def test_a_reply_is_read_whole() -> None:
    got = await reply(message())
    assert (got.text, got.model, got.response_id) == ("It is sunny.", "claude-sonnet-4-5-20250929", "msg_01")
    assert [(call.id, call.name, json.loads(call.arguments)) for call in got.tool_calls] == [
        ("toolu_1", "weather", {"city": "Köln"})
    ]
    assert got.finish is Finish.TOOL_CALLS
    assert got.usage == TokenUsage(prompt=240, completion=50, cached=200, cache_writes=30, reasoning=20)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", Finish.STOP),
        ("stop_sequence", Finish.STOP),
        ("max_tokens", Finish.LENGTH),
        ("model_context_window_exceeded", Finish.LENGTH),
        ("refusal", Finish.CONTENT_FILTER),
        ("pause_turn", Finish.OTHER),
    ],
)
async def test_each_reason_to_stop_has_its_finish(reason: str, finish: Finish) -> None:
    assert (await reply(message(stop_reason=reason))).finish is finish


async def test_missing_usage_is_estimated_and_says_so() -> None:
    usage = (await reply(answer({"content": [{"type": "text", "text": "four words stand here"}]}))).usage
    assert usage.estimated
    assert usage.prompt > 0
    assert usage.completion > 0


@pytest.mark.parametrize(
    ("status", "type_", "text", "kind"),
    [
        (401, "authentication_error", "invalid x-api-key", FaultKind.CREDENTIALS),
        (403, "permission_error", "no", FaultKind.CREDENTIALS),
        (402, "billing_error", "no", FaultKind.QUOTA),
        (404, "not_found_error", "model: claude-9", FaultKind.UNKNOWN_MODEL),
        (413, "request_too_large", "no", FaultKind.TOO_LONG),
        (429, "rate_limit_error", "no", FaultKind.RATE_LIMITED),
        (500, "api_error", "no", FaultKind.SERVER),
        (504, "timeout_error", "no", FaultKind.TIMEOUT),
        (529, "overloaded_error", "Overloaded", FaultKind.OVERLOADED),
        (400, "invalid_request_error", f"bad: {PROMPT}", FaultKind.INVALID_REQUEST),
        (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", FaultKind.TOO_LONG),
        (400, "invalid_request_error", "Your credit balance is too low", FaultKind.QUOTA),
        (400, "invalid_request_error", "Output blocked by content filtering policy", FaultKind.CONTENT_FILTER),
    ],
)
async def test_each_error_has_its_kind(status: int, type_: str, text: str, kind: FaultKind) -> None:
    body = {"type": "error", "error": {"type": type_, "message": text}, "request_id": "req_1"}
    fault = await fault_of(Anthropic(CONFIG, Wire(answer(body, status, **{"retry-after": "7"}))))
    assert (fault.kind, fault.status, fault.code, fault.retry_after_s) == (kind, status, type_, 7.0)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 502, FaultKind.SERVER),
        (b"<html>overloaded</html>", 529, FaultKind.OVERLOADED),
        (b"{}", 429, FaultKind.RATE_LIMITED),
        (b"[]", 302, FaultKind.MALFORMED),
        (b"", 200, FaultKind.MALFORMED),
        (json.dumps(SAMPLE).encode()[:-9], 200, FaultKind.MALFORMED),
        (b'{"content": {"text": "no list"}}', 200, FaultKind.MALFORMED),
        (b"[" * 100_000, 200, FaultKind.MALFORMED),
    ],
)
async def test_what_is_no_answer_of_the_interface_is_a_fault(body: bytes, status: int, kind: FaultKind) -> None:
    assert (await fault_of(Anthropic(CONFIG, Wire(answer(body, status))))).kind is kind


@pytest.mark.parametrize(
    "request_",
    [
        asking(said(Role.SYSTEM, "alone")),
        asking(said(Role.USER, "")),
        asking(said(Role.USER, "see", Image(data=b"x", mime_type="image/tiff"))),
        asking(said(Role.ASSISTANT, "see", Image(data=PNG, mime_type="image/png"))),
        asking(said(Role.USER, "half \ud83d")),
        asking(headers={"traceparent": "a\r\nb: c"}),
    ],
)
async def test_what_cannot_be_asked_is_refused_before_anything_is_sent(request_: ModelRequest) -> None:
    wire = Wire(message())
    assert (await fault_of(Anthropic(CONFIG, wire), request_)).kind is FaultKind.INVALID_REQUEST
    assert wire.sent == []


async def test_the_probe_lists_models_and_uses_none() -> None:
    wire = Wire(answer({"data": [], "has_more": False}))
    await Anthropic(CONFIG, wire).probe(3.0)
    assert wire.sent[0][:2] == ("GET", "https://api.anthropic.com/v1/models?limit=1")
    with pytest.raises(ProviderFault) as caught:
        await Anthropic(CONFIG, Wire(answer({}, 401))).probe(3.0)
    assert caught.value.kind is FaultKind.CREDENTIALS


def test_a_config_needs_a_key() -> None:
    assert SPEC.check(CONFIG) == []
    assert SPEC.check(ProviderConfig(name="claude", type="anthropic")) == ["Anthropic needs an API key"]


@settings(max_examples=80, deadline=None)
@given(body=like(SAMPLE) | json_values, status=st.sampled_from([200, 400, 429, 529]), schema=st.booleans())
async def test_no_answer_whatever_raises_anything_but_a_provider_fault(body: Any, status: int, schema: bool) -> None:
    request = asking(model=PLAIN, json_schema=SCHEMA if schema else None)
    try:
        got = await reply(answer(body, status), request)
    except ProviderFault:
        return
    assert isinstance(got.text, str)
    assert got.usage.cached + got.usage.cache_writes <= got.usage.prompt
