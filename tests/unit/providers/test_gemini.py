"""Gemini by both of its doors: what is sent parses as the SDK's own types, what comes back is built from them."""

from __future__ import annotations

import base64
import json
import warnings
from typing import Any

import pytest
from axonflow_providers.gemini import GEMINI, VERTEX, open_gemini, open_vertex
from axonflow_providers.protocol import (
    FaultKind,
    Finish,
    HttpAnswer,
    ModelReply,
    ModelRequest,
    Provider,
    ProviderConfig,
    ProviderFault,
    TokenUsage,
)
from axonflow_settings import Secret
from hypothesis import given, settings
from hypothesis import strategies as st
from support.provider_calls import PNG, PROMPT, SCHEMA, TOOL, Wire, asking, fault_of, full_request, json_values, like

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from google.genai import types as sdk

KEY = "AIza-secret"
CONFIG = ProviderConfig(name="gemini", type="gemini", api_key=Secret(KEY))
EXPRESS = ProviderConfig(
    name="vertex", type="vertex", region="europe-west4", api_key=Secret(KEY), settings={"project": "acme-prod-1"}
)
SAMPLE: dict[str, Any] = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "let me think", "thought": True},
                    {"text": "It is "},
                    {"text": "sunny."},
                    {"functionCall": {"name": "weather", "args": {"city": "Köln"}}},
                ],
            },
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 100,
        "toolUsePromptTokenCount": 7,
        "cachedContentTokenCount": 60,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 30,
        "totalTokenCount": 157,
    },
    "modelVersion": "gemini-2.5-flash-001",
    "responseId": "r-1",
}


def answer(value: Any, status: int = 200, **headers: str) -> HttpAnswer:
    return HttpAnswer(status, headers, value if isinstance(value, bytes) else json.dumps(value).encode())


def generated(**changed: Any) -> HttpAnswer:
    """A reply that the SDK takes for one."""
    value = {**SAMPLE, **changed}
    sdk.GenerateContentResponse.model_validate(value)
    return answer(value)


def candidate(**changed: Any) -> HttpAnswer:
    return generated(candidates=[{**SAMPLE["candidates"][0], **changed}])


def texts(*parts: str) -> HttpAnswer:
    return candidate(content={"role": "model", "parts": [{"text": part} for part in parts]})


async def sent(request: ModelRequest) -> dict[str, Any]:
    """The body, once the SDK's types have taken every part of it; they forbid names that they do not know."""
    wire = Wire(generated())
    await open_gemini(CONFIG, wire).complete(request)
    body = json.loads(wire.sent[0][3])
    assert set(body) <= {"contents", "systemInstruction", "tools", "generationConfig"}
    for content in [*body["contents"], *filter(None, [body.get("systemInstruction")])]:
        sdk.Content.model_validate(content)
    for tool in body.get("tools", ()):
        sdk.Tool.model_validate(tool)
    sdk.GenerationConfig.model_validate(body.get("generationConfig", {}))
    return body  # type: ignore[no-any-return]


async def reply(given_answer: HttpAnswer, request: ModelRequest | None = None) -> ModelReply:
    return await open_gemini(CONFIG, Wire(given_answer)).complete(request or asking())


async def test_a_whole_request_is_one_that_the_sdk_takes() -> None:
    body = await sent(full_request("gemini-2.5-pro"))
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief.\n\nBe kind."}]}
    assert [turn["role"] for turn in body["contents"]] == ["user", "model", "user"]
    picture, question, further = body["contents"][2]["parts"]
    assert base64.b64decode(picture["inlineData"]["data"]) == PNG
    assert (question["text"], further["text"]) == ("What is this?", "And the weather?")
    assert body["generationConfig"] == {"maxOutputTokens": 77, "temperature": 0.5, "stopSequences": ["END"]}
    declared = body["tools"][0]["functionDeclarations"]
    assert declared == [{"name": "weather", "description": "Tells the weather.", "parametersJsonSchema": SCHEMA}]


async def test_a_small_request_says_no_more_than_it_must() -> None:
    assert set(await sent(asking())) == {"contents"}


async def test_a_schema_goes_along_as_json_schema_and_any_object_without_one() -> None:
    shaped = (await sent(asking(json_schema=SCHEMA, top_p=0.9)))["generationConfig"]
    assert shaped == {"topP": 0.9, "responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    assert (await sent(asking(json_schema={})))["generationConfig"] == {"responseMimeType": "application/json"}


async def test_beside_tools_json_is_asked_for_in_words() -> None:
    request = asking(json_schema=SCHEMA, tools=(TOOL,))
    body = await sent(request)
    assert "generationConfig" not in body
    assert '"city"' in body["systemInstruction"]["parts"][0]["text"]
    assert (await reply(texts('```\n{"city": 1}\n```'), request)).text == '{"city": 1}'


async def test_the_key_goes_into_a_header_and_never_into_the_address() -> None:
    wire = Wire(generated())
    provider = open_gemini(CONFIG, wire)
    await provider.complete(asking(model="models/gemini-2.5-pro", headers={"X-Goog-Api-Key": "theirs"}))
    await provider.probe(3.0)
    assert [(method, url) for method, url, *_ in wire.sent] == [
        ("POST", "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent"),
        ("GET", "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1"),
    ]
    assert all(headers["x-goog-api-key"] == KEY for _, _, headers, _ in wire.sent)


@pytest.mark.parametrize(
    "model", ["../../v1/x", "a?key=b", "a#b", "a/b", "gemini:stream", "a%2F..%2Fb", "//evil.example"]
)
async def test_a_models_name_moves_no_address(model: str) -> None:
    wire = Wire(generated())
    for provider in (open_gemini(CONFIG, wire), open_vertex(EXPRESS, wire)):
        await provider.complete(asking(model=model))
    for _, url, *_ in wire.sent:
        before, _, named = url.partition("/models/")
        assert before.endswith(("/v1beta", "/publishers/google"))
        assert not set("/?#:") & set(named.removesuffix(":generateContent"))


@pytest.mark.parametrize("model", ["..", ".", "a\nb", "a" * 300])
async def test_a_name_that_no_model_can_have_is_not_asked_for(model: str) -> None:
    wire = Wire(generated())
    assert (await fault_of(open_gemini(CONFIG, wire), asking(model=model))).kind is FaultKind.UNKNOWN_MODEL
    assert wire.sent == []


@pytest.mark.parametrize(
    ("region", "origin"),
    [
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com"),
        ("global", "https://aiplatform.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
    ],
)
async def test_vertex_is_asked_in_its_region(region: str, origin: str) -> None:
    wire = Wire(generated())
    config = ProviderConfig(
        name="v", type="vertex", region=region, api_key=Secret(KEY), settings={"project": "acme-prod-1"}
    )
    await open_vertex(config, wire).complete(asking(model="gemini-2.5-pro"))
    await open_vertex(config, wire).probe(3.0)
    base = f"{origin}/v1/projects/acme-prod-1/locations/{region}/publishers/google/models"
    assert [url for _, url, *_ in wire.sent] == [
        f"{base}/gemini-2.5-pro:generateContent",
        f"{base}/gemini-2.5-flash:countTokens",
    ]


@pytest.mark.parametrize(
    "region", ["", "evil.example/", "us-central1.evil.example", "us-central1#", "US-central1", "a-b1\n"]
)
def test_a_region_is_a_region_and_nothing_else(region: str) -> None:
    config = ProviderConfig(
        name="v", type="vertex", region=region, api_key=Secret(KEY), settings={"project": "acme-prod-1"}
    )
    assert VERTEX.check(config) == ["Vertex AI needs a region, such as europe-west4, us or global"]
    with pytest.raises(ProviderFault):
        open_vertex(config, Wire(generated()))


def test_configs_that_cannot_be_opened_say_why() -> None:
    assert GEMINI.check(CONFIG) == VERTEX.check(EXPRESS) == []
    assert GEMINI.check(ProviderConfig(name="g", type="gemini")) == ["Google Gemini needs an API key"]
    bare = ProviderConfig(name="v", type="vertex", region="us", settings={"project": "../x"})
    assert VERTEX.check(bare) == [
        "Vertex AI needs settings.project: a project's id or number",
        "Vertex AI needs settings.service_account, or an API key",
    ]


async def test_a_reply_is_read_whole_without_its_thoughts() -> None:
    got = await reply(generated())
    assert (got.text, got.model, got.response_id) == ("It is sunny.", "gemini-2.5-flash-001", "r-1")
    assert [(call.id, call.name, json.loads(call.arguments)) for call in got.tool_calls] == [
        ("call_0", "weather", {"city": "Köln"})
    ]
    assert got.finish is Finish.TOOL_CALLS
    assert got.usage == TokenUsage(prompt=107, completion=50, cached=60, reasoning=30)


@pytest.mark.parametrize("reason", list(sdk.FinishReason))
async def test_each_reason_to_stop_has_its_finish(reason: sdk.FinishReason) -> None:
    got = await reply(candidate(finishReason=reason.value, content={"parts": [{"text": "hello"}]}))
    if reason.value in {"STOP", "MAX_TOKENS"}:
        assert got.finish is {"STOP": Finish.STOP, "MAX_TOKENS": Finish.LENGTH}[reason.value]
    else:
        filtered = any(
            part in reason.value for part in ("SAFETY", "PROHIBITED", "RECITATION", "SPII", "BLOCK", "ARMOR")
        )
        assert got.finish is (Finish.CONTENT_FILTER if filtered or reason.value == "LANGUAGE" else Finish.OTHER)


async def test_a_blocked_answer_is_a_finish_with_nothing_said() -> None:
    got = await reply(generated(candidates=[{"finishReason": "SAFETY"}], usageMetadata={"promptTokenCount": 9}))
    assert (got.text, got.finish) == ("", Finish.CONTENT_FILTER)
    assert got.usage == TokenUsage(prompt=9)


async def test_a_blocked_prompt_is_a_fault_that_says_what_it_cost() -> None:
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 9}}
    sdk.GenerateContentResponse.model_validate(blocked)
    fault = await fault_of(open_gemini(CONFIG, Wire(answer(blocked))))
    assert (fault.kind, fault.code, fault.usage) == (
        FaultKind.CONTENT_FILTER,
        "PROHIBITED_CONTENT",
        TokenUsage(prompt=9),
    )


async def test_an_answer_that_the_model_broke_is_malformed_and_costs_all_the_same() -> None:
    fault = await fault_of(open_gemini(CONFIG, Wire(candidate(finishReason="MALFORMED_FUNCTION_CALL", content={}))))
    assert fault.kind is FaultKind.MALFORMED
    assert fault.usage
    assert fault.usage.prompt == 107


def error(status: int, name: str, text: str = "no", *details: Any, wrapped: bool = False) -> HttpAnswer:
    body = {"error": {"code": status, "message": text, "status": name, "details": list(details)}}
    return answer([body] if wrapped else body, status)


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "27.5s"}
DAILY = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
}
BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


@pytest.mark.parametrize(
    ("given_answer", "kind", "code"),
    [
        (error(400, "INVALID_ARGUMENT", f"bad {PROMPT}"), FaultKind.INVALID_REQUEST, "INVALID_ARGUMENT"),
        (error(400, "INVALID_ARGUMENT", "API key not valid.", BAD_KEY), FaultKind.CREDENTIALS, "API_KEY_INVALID"),
        (error(400, "INVALID_ARGUMENT", "API key not valid."), FaultKind.CREDENTIALS, "INVALID_ARGUMENT"),
        (
            error(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum"),
            FaultKind.TOO_LONG,
            "INVALID_ARGUMENT",
        ),
        (error(400, "FAILED_PRECONDITION", "enable billing"), FaultKind.CREDENTIALS, "FAILED_PRECONDITION"),
        (error(401, "UNAUTHENTICATED", wrapped=True), FaultKind.CREDENTIALS, "UNAUTHENTICATED"),
        (error(403, "PERMISSION_DENIED"), FaultKind.CREDENTIALS, "PERMISSION_DENIED"),
        (error(404, "NOT_FOUND"), FaultKind.UNKNOWN_MODEL, "NOT_FOUND"),
        (error(429, "RESOURCE_EXHAUSTED"), FaultKind.RATE_LIMITED, "RESOURCE_EXHAUSTED"),
        (error(429, "RESOURCE_EXHAUSTED", "no", DAILY), FaultKind.QUOTA, "RESOURCE_EXHAUSTED"),
        (error(500, "INTERNAL"), FaultKind.SERVER, "INTERNAL"),
        (error(503, "UNAVAILABLE"), FaultKind.OVERLOADED, "UNAVAILABLE"),
        (error(504, "DEADLINE_EXCEEDED"), FaultKind.TIMEOUT, "DEADLINE_EXCEEDED"),
        (answer(b"<html>", 502), FaultKind.SERVER, ""),
        (answer(b"", 200), FaultKind.MALFORMED, ""),
        (answer({}, 200), FaultKind.MALFORMED, ""),
        (answer(json.dumps(SAMPLE).encode()[:-5], 200), FaultKind.MALFORMED, ""),
    ],
)
async def test_each_error_has_its_kind(given_answer: HttpAnswer, kind: FaultKind, code: str) -> None:
    fault = await fault_of(open_gemini(CONFIG, Wire(given_answer)))
    assert (fault.kind, fault.code) == (kind, code)


async def test_when_to_come_back_stands_in_the_body_or_in_a_header() -> None:
    limited = error(429, "RESOURCE_EXHAUSTED", "no", RETRY)
    assert (await fault_of(open_gemini(CONFIG, Wire(limited)))).retry_after_s == 27.5
    by_header = HttpAnswer(429, {"retry-after": "3"}, limited.body)
    assert (await fault_of(open_gemini(CONFIG, Wire(by_header)))).retry_after_s == 3.0


ERROR_SAMPLE = {
    "error": {"code": 429, "message": "API key not valid", "status": "INVALID_ARGUMENT", "details": [RETRY | DAILY]}
}


@settings(max_examples=80, deadline=None)
@given(body=like(SAMPLE) | like(ERROR_SAMPLE) | json_values, status=st.sampled_from([200, 400, 401, 429, 503]))
@pytest.mark.parametrize("provider", [open_gemini, open_vertex])
async def test_no_answer_whatever_raises_anything_but_a_provider_fault(provider: Any, body: Any, status: int) -> None:
    opened: Provider = provider(EXPRESS if provider is open_vertex else CONFIG, Wire(answer(body, status)))
    try:
        got = await opened.complete(asking())
    except ProviderFault:
        return
    assert isinstance(got.text, str)
    assert got.usage.reasoning <= got.usage.completion
