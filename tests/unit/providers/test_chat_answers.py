"""What comes back from a chat completion: replies made by the official SDK's types, errors, and arbitrary JSON."""

from __future__ import annotations

import json
import traceback
from collections.abc import AsyncIterator
from typing import Any

import pytest
from axonflow_providers import (
    FaultKind,
    Finish,
    HttpAnswer,
    HttpTransport,
    Message,
    ModelRequest,
    Provider,
    ProviderConfig,
    ProviderFault,
    ProviderRegistry,
    Role,
    TokenUsage,
    ToolCall,
    standard_specs,
)
from axonflow_providers.chat_answers import chat_reply
from axonflow_settings import Secret
from hypothesis import given
from hypothesis import strategies as st
from support.chat_completions import completion, refused
from support.provider_upstream import Answering, ProviderUpstream, answering, provider_upstream

REQUEST = ModelRequest(model="gpt-4o", messages=(Message(role=Role.USER, text="prompt-text"),), timeout_s=5.0)


@pytest.fixture
async def upstream() -> AsyncIterator[ProviderUpstream]:
    async with provider_upstream() as running:
        yield running


@pytest.fixture(params=["openai", "azure-openai", "custom", "openrouter"])
async def provider(request: pytest.FixtureRequest, upstream: ProviderUpstream) -> AsyncIterator[Provider]:
    async with HttpTransport() as transport:
        registry = ProviderRegistry(standard_specs(), trusted=transport, guarded=transport)
        yield registry.open(
            ProviderConfig(
                name="p", type=request.param, endpoint=upstream.url, api_key=Secret("sk-secret"), trusted=True
            )
        )


async def fault_of(provider: Provider) -> ProviderFault:
    with pytest.raises(ProviderFault) as caught:
        await provider.complete(REQUEST)
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert not [secret for secret in ("sk-secret", "prompt-text", "provider-text") if secret in shown]
    return caught.value


async def test_a_reply_is_read_with_its_tokens(provider: Provider, upstream: ProviderUpstream) -> None:
    upstream.script = answering(completion())
    reply = await provider.complete(REQUEST)
    assert (reply.text, reply.finish, reply.tool_calls) == ("Hello.", Finish.STOP, ())
    assert (reply.model, reply.response_id) == ("gpt-4o-mini-2024-07-18", "chatcmpl-Abc123")
    assert reply.usage == TokenUsage(prompt=120, completion=30, cached=100, cache_writes=8, reasoning=12)


def read(value: Any, request: ModelRequest = REQUEST) -> Any:
    return chat_reply(HttpAnswer(200, {}, json.dumps(value).encode()), request, "gpt-4o")


def test_tool_calls_are_read_beside_null_content() -> None:
    function = {"name": "look", "arguments": '{"city": "Paris"}'}
    calls = [{"id": "call_1", "type": "function", "function": function}]
    reply = read(completion({"content": None, "tool_calls": calls}, finish="tool_calls"))
    assert reply.text == ""
    assert reply.finish is Finish.TOOL_CALLS
    assert reply.tool_calls == (ToolCall(id="call_1", name="look", arguments='{"city": "Paris"}'),)


def test_arguments_that_are_an_object_become_its_text() -> None:
    value = completion({"content": None}, finish="stop")
    value["choices"][0]["message"]["tool_calls"] = [{"function": {"name": "look", "arguments": {"city": "Paris"}}}]
    reply = read(value)
    assert json.loads(reply.tool_calls[0].arguments) == {"city": "Paris"}
    assert reply.tool_calls[0].id == "call_0"
    assert reply.finish is Finish.TOOL_CALLS


def test_content_in_parts_is_joined_without_the_thoughts() -> None:
    value = completion()
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    parts = [thought, {"type": "text", "text": "Hel"}, {"type": "text", "text": "lo."}]
    value["choices"][0]["message"]["content"] = parts
    assert read(value).text == "Hello."


def test_a_refusal_is_its_text_and_no_plain_stop() -> None:
    reply = read(completion({"content": None, "refusal": "I will not."}))
    assert (reply.text, reply.finish) == ("I will not.", Finish.CONTENT_FILTER)


def test_a_filtered_answer_may_have_no_content() -> None:
    value = completion(finish="content_filter")
    value["choices"][0]["message"] = {"role": "assistant"}
    value["choices"][0]["content_filter_results"] = {"hate": {"filtered": True, "severity": "high"}}
    assert (read(value).text, read(value).finish) == ("", Finish.CONTENT_FILTER)


@pytest.mark.parametrize(
    ("said", "finish"),
    [
        ("stop", Finish.STOP),
        ("eos", Finish.STOP),
        ("length", Finish.LENGTH),
        ("model_length", Finish.LENGTH),
        ("content_filter", Finish.CONTENT_FILTER),
        ("something_new", Finish.OTHER),
        (None, Finish.OTHER),
    ],
)
def test_the_reason_to_stop_is_told(said: str | None, finish: Finish) -> None:
    value = completion()
    value["choices"][0]["finish_reason"] = said
    assert read(value).finish is finish


@pytest.mark.parametrize("usage", [None, {}, [], "much", {"prompt_tokens": -1, "completion_tokens": 5}])
def test_tokens_that_were_not_told_are_estimated(usage: Any) -> None:
    reply = read({**completion(), "usage": usage})
    assert reply.usage.estimated
    assert reply.usage.prompt > 0
    assert reply.usage.completion > 0


def test_the_cache_is_told_in_deepseeks_words_too() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 4}
    assert read({**completion(), "usage": usage}).usage.cached == 4


def test_json_loses_the_fence_around_it() -> None:
    request = ModelRequest(model="m", messages=REQUEST.messages, json_schema={})
    assert read(completion({"content": '```json\n{"a": 1}\n```'}), request).text == '{"a": 1}'


def test_a_sentence_where_a_name_belongs_is_dropped() -> None:
    reply = read({**completion(), "model": "my SSN is 123-45-6789", "id": "call me on 555 0100"})
    assert (reply.model, reply.response_id) == ("gpt-4o", "")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(401, "invalid_api_key", said="Incorrect API key: provider-text"), FaultKind.CREDENTIALS),
        (refused(403, None), FaultKind.CREDENTIALS),
        (refused(404, "model_not_found", said="provider-text"), FaultKind.UNKNOWN_MODEL),
        (refused(404, "DeploymentNotFound"), FaultKind.UNKNOWN_MODEL),
        (refused(400, "unsupported_parameter"), FaultKind.INVALID_REQUEST),
        (refused(400, "context_length_exceeded"), FaultKind.TOO_LONG),
        (refused(400, None, said="This model's maximum context length is 4096. provider-text"), FaultKind.TOO_LONG),
        (refused(400, "content_filter", said="provider-text"), FaultKind.CONTENT_FILTER),
        (refused(429, "rate_limit_exceeded", kind="requests"), FaultKind.RATE_LIMITED),
        (refused(429, "insufficient_quota", kind="insufficient_quota"), FaultKind.QUOTA),
        (refused(402, None), FaultKind.QUOTA),
        (refused(500, None, kind="server_error"), FaultKind.SERVER),
        (refused(503, None), FaultKind.OVERLOADED),
        (Answering(status=502, body=b"<html>provider-text</html>"), FaultKind.SERVER),
        (answering({"error": "model 'x' not found: provider-text"}, status=404), FaultKind.UNKNOWN_MODEL),
        (answering({"detail": [{"msg": "provider-text"}]}, status=422), FaultKind.INVALID_REQUEST),
        (answering({"error": {"code": 403, "metadata": {"reasons": ["x"]}}}, status=403), FaultKind.CONTENT_FILTER),
        (answering({"error": {"code": 429, "message": "provider-text"}}), FaultKind.RATE_LIMITED),
        (answering({"error": {"message": "provider-text"}}), FaultKind.SERVER),
        (answering({**completion(), "choices": []}), FaultKind.MALFORMED),
        (answering({"choices": [{"message": {}}]}), FaultKind.MALFORMED),
        (Answering(body=b"provider-text", headers={"Content-Type": "text/html"}), FaultKind.MALFORMED),
        (Answering(body=json.dumps(completion()).encode()[:-20]), FaultKind.MALFORMED),
        (Answering(status=302, headers={"Location": "http://127.0.0.1:1/"}), FaultKind.MALFORMED),
    ],
)
async def test_an_error_is_a_fault_in_our_words(
    provider: Provider, upstream: ProviderUpstream, answer: Answering, kind: FaultKind
) -> None:
    upstream.script = answer
    assert (await fault_of(provider)).kind is kind


async def test_azures_filter_is_known_by_its_inner_code(provider: Provider, upstream: ProviderUpstream) -> None:
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {"filtered": True}}}
    upstream.script = answering({"error": {"code": "400", "message": "provider-text", "innererror": inner}}, status=400)
    assert (await fault_of(provider)).kind is FaultKind.CONTENT_FILTER


async def test_a_rate_limit_says_when_to_come_back(provider: Provider, upstream: ProviderUpstream) -> None:
    limited = refused(429, "rate_limit_exceeded")
    upstream.script = Answering(status=429, body=limited.body, headers={"Retry-After": "7"})
    fault = await fault_of(provider)
    assert (fault.retry_after_s, fault.code, fault.status) == (7.0, "rate_limit_exceeded", 429)
    assert fault.retryable


async def test_a_model_that_broke_off_still_tells_its_tokens(provider: Provider, upstream: ProviderUpstream) -> None:
    value = completion()
    value["choices"][0]["finish_reason"] = "error"
    upstream.script = answering(value)
    fault = await fault_of(provider)
    assert fault.kind is FaultKind.SERVER
    assert fault.usage is not None
    assert fault.usage.prompt == 120


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "tool_calls", "function", "usage", "error", "code", "id"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    value=JSON, status=st.sampled_from([200, 200, 400, 403, 429, 500]), field=st.sampled_from(["", "message", "usage"])
)
def test_no_json_whatever_raises_anything_but_a_fault(value: Any, status: int, field: str) -> None:
    body = completion()
    if field == "message":
        body["choices"][0]["message"] = value
    elif field:
        body[field] = value
    else:
        body = value
    try:
        chat_reply(HttpAnswer(status, {}, json.dumps(body).encode()), REQUEST, "gpt-4o")
    except ProviderFault:
        return
    assert status == 200


@given(st.binary(max_size=60))
def test_no_bytes_whatever_raise_anything_but_a_fault(body: bytes) -> None:
    with pytest.raises(ProviderFault):
        chat_reply(HttpAnswer(200, {}, body), REQUEST, "gpt-4o")


async def test_a_probe_asks_without_a_model(provider: Provider, upstream: ProviderUpstream) -> None:
    upstream.script = answering({"object": "list", "data": []})
    await provider.probe(5.0)
    (asked,) = upstream.asked
    assert asked.method == "GET"
    assert asked.target.partition("?")[0] in {"/v1/models", "/openai/models", "/v1/key"}


@pytest.mark.parametrize("answer", [refused(401, "invalid_api_key"), Answering(body=b"<html>"), refused(500, None)])
async def test_a_probe_of_a_provider_that_would_not_answer_fails(
    provider: Provider, upstream: ProviderUpstream, answer: Answering
) -> None:
    upstream.script = answer
    with pytest.raises(ProviderFault):
        await provider.probe(5.0)


async def test_only_an_endpoint_of_unknown_make_may_have_no_list_of_models(
    provider: Provider, upstream: ProviderUpstream
) -> None:
    upstream.script = refused(404, None)
    if provider.config.type == "custom":
        await provider.probe(5.0)
        return
    with pytest.raises(ProviderFault):
        await provider.probe(5.0)
