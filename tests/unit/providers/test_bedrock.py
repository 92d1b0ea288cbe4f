"""Bedrock: botocore's own model of the service writes the same request and reads the same reply."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.model
import botocore.parsers
import botocore.serialize
import botocore.session
import botocore.validate
import pytest
from axonflow_providers.bedrock import bedrock_spec
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

SONNET, LATER, NOVA = (
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "global.anthropic.claude-opus-4-7",
    "amazon.nova-pro-v1:0",
)
ARN = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/ab12"
CONFIG = ProviderConfig(
    name="aws",
    type="bedrock",
    region="eu-west-1",
    settings={
        "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": Secret("very/secret"),
        "session_token": Secret("st"),
    },
)
SPEC = bedrock_spec({})
SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")
CONVERSE = SERVICE.operation_model("Converse")
SAMPLE: dict[str, Any] = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm"}}},
                {"text": "It is "},
                {"text": "sunny."},
                {"toolUse": {"toolUseId": "t-1", "name": "weather", "input": {"city": "Köln"}}},
            ],
        }
    },
    "stopReason": "tool_use",
    "usage": {
        "inputTokens": 10,
        "outputTokens": 50,
        "cacheReadInputTokens": 200,
        "cacheWriteInputTokens": 30,
        "totalTokens": 290,
    },
    "metrics": {"latencyMs": 12},
}


def answer(value: Any, status: int = 200, **headers: str) -> HttpAnswer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return HttpAnswer(status, {name.replace("_", "-"): text for name, text in headers.items()}, body)


def parsed(given_answer: HttpAnswer) -> dict[str, Any]:
    """The answer as botocore reads it."""
    parser = botocore.parsers.create_parser("rest-json")
    response = {"status_code": given_answer.status, "headers": given_answer.headers, "body": given_answer.body}
    return parser.parse(response, CONVERSE.output_shape)  # type: ignore[no-any-return]


def conversed(**changed: Any) -> HttpAnswer:
    """A reply that botocore reads as what it is meant to be."""
    value = {**SAMPLE, **changed}
    given_answer = answer(value, x_amzn_requestid="11-22")
    assert {name: parsed(given_answer)[name] for name in value} == value
    return given_answer


def opened(wire: Wire, config: ProviderConfig = CONFIG) -> Provider:
    assert SPEC.check(config) == []
    return SPEC.open(config, wire)


async def sent(request: ModelRequest) -> dict[str, Any]:
    """The body, once botocore has written the very same request from the same parameters."""
    wire = Wire(conversed())
    await opened(wire).complete(request)
    _, url, _, raw = wire.sent[0]
    body, parameters = json.loads(raw), json.loads(raw)
    for message in parameters["messages"]:
        for block in message["content"]:
            if "image" in block:
                source = block["image"]["source"]
                source["bytes"] = base64.b64decode(source["bytes"])
    parameters["modelId"] = request.model
    problems = botocore.validate.ParamValidator().validate(parameters, CONVERSE.input_shape)
    assert not problems.has_errors(), problems.generate_report()
    theirs = botocore.serialize.create_serializer("rest-json").serialize_to_request(parameters, CONVERSE)
    assert json.loads(theirs["body"]) == body
    assert url == f"https://bedrock-runtime.eu-west-1.amazonaws.com{theirs['url_path']}"
    return body  # type: ignore[no-any-return]


async def reply(given_answer: HttpAnswer, request: ModelRequest | None = None) -> ModelReply:
    return await opened(Wire(given_answer)).complete(request or asking(model=SONNET))


async def test_a_whole_request_is_the_one_that_botocore_writes() -> None:
    body = await sent(full_request(SONNET))
    assert body["system"] == [{"text": "Be brief.\n\nBe kind."}]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    picture = body["messages"][2]["content"][0]["image"]
    assert (picture["format"], base64.b64decode(picture["source"]["bytes"])) == ("png", PNG)
    assert body["inferenceConfig"] == {"maxTokens": 77, "temperature": 0.5, "stopSequences": ["END"]}
    assert body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"] == {"json": SCHEMA}


@pytest.mark.parametrize(
    "model", [SONNET, NOVA, ARN, "us.meta.llama3-3-70b-instruct-v1:0", "x/../y", "a?b=c#d", "a%2e"]
)
async def test_a_models_name_is_one_segment_of_the_path(model: str) -> None:
    assert set(await sent(asking(model=model))) == {"messages"}


async def test_sampling_goes_to_the_models_that_take_it() -> None:
    assert (await sent(asking(model=NOVA, temperature=0.2, top_p=0.9)))["inferenceConfig"] == {
        "temperature": 0.2,
        "topP": 0.9,
    }
    assert (await sent(asking(model=SONNET, temperature=0.2, top_p=0.9)))["inferenceConfig"] == {"temperature": 0.2}
    assert "inferenceConfig" not in await sent(asking(model=LATER, temperature=0.2, top_p=0.9))


@pytest.mark.parametrize("model", [SONNET, NOVA])
async def test_json_is_carried_by_a_tool_where_one_can_be_named(model: str) -> None:
    request = asking(model=model, json_schema=SCHEMA)
    config = (await sent(request))["toolConfig"]
    name = config["tools"][0]["toolSpec"]["name"]
    assert config["toolChoice"] == {"tool": {"name": name}}
    use = {"toolUse": {"toolUseId": "t", "name": name, "input": {"city": "Köln"}}}
    got = await reply(conversed(output={"message": {"role": "assistant", "content": [use]}}), request)
    assert (json.loads(got.text), got.tool_calls, got.finish) == ({"city": "Köln"}, (), Finish.STOP)


@pytest.mark.parametrize("model", [LATER, ARN, "meta.llama3-70b-instruct-v1:0"])
async def test_elsewhere_json_is_asked_for_in_words(model: str) -> None:
    body = await sent(asking(model=model, json_schema=SCHEMA))
    assert "toolConfig" not in body
    assert '"city"' in body["system"][0]["text"]


async def test_a_reply_is_read_whole() -> None:
    got = await reply(conversed())
    assert (got.text, got.model, got.response_id) == ("It is sunny.", SONNET, "11-22")
    assert [(call.id, call.name, json.loads(call.arguments)) for call in got.tool_calls] == [
        ("t-1", "weather", {"city": "Köln"})
    ]
    assert got.finish is Finish.TOOL_CALLS
    assert got.usage == TokenUsage(prompt=240, completion=50, cached=200, cache_writes=30)


async def test_a_total_reached_without_the_cache_means_that_the_cache_is_inside() -> None:
    usage = {"inputTokens": 300, "outputTokens": 5, "totalTokens": 305, "cacheReadInputTokens": 200}
    assert (await reply(conversed(usage=usage))).usage == TokenUsage(prompt=300, completion=5, cached=200)


@pytest.mark.parametrize("reason", CONVERSE.output_shape.members["stopReason"].enum)
async def test_each_reason_to_stop_has_its_finish(reason: str) -> None:
    finish = (await reply(conversed(stopReason=reason))).finish
    assert finish is {
        "end_turn": Finish.STOP,
        "stop_sequence": Finish.STOP,
        "tool_use": Finish.TOOL_CALLS,
        "max_tokens": Finish.LENGTH,
        "model_context_window_exceeded": Finish.LENGTH,
        "guardrail_intervened": Finish.CONTENT_FILTER,
        "content_filtered": Finish.CONTENT_FILTER,
    }.get(reason, Finish.OTHER)


KINDS = {
    "AccessDeniedException": FaultKind.CREDENTIALS,
    "ThrottlingException": FaultKind.RATE_LIMITED,
    "ResourceNotFoundException": FaultKind.UNKNOWN_MODEL,
    "ModelTimeoutException": FaultKind.TIMEOUT,
    "InternalServerException": FaultKind.SERVER,
    "ServiceUnavailableException": FaultKind.OVERLOADED,
    "ValidationException": FaultKind.INVALID_REQUEST,
    "ModelNotReadyException": FaultKind.OVERLOADED,
    "ModelErrorException": FaultKind.SERVER,
}


def test_every_error_of_the_service_is_thought_of() -> None:
    assert set(KINDS) == {shape.name for shape in CONVERSE.error_shapes}


@pytest.mark.parametrize("shape", CONVERSE.error_shapes, ids=lambda shape: shape.name)
@pytest.mark.parametrize("place", ["header", "header with address", "body"])
async def test_each_error_has_its_kind(shape: Any, place: str) -> None:
    named = {"__type": f"com.amazon.coral#{shape.name}"} if place == "body" else {}
    header = {"header": shape.name, "header with address": f"{shape.name}:http://internal.amazon.com/coral/"}.get(place)
    headers = {"x_amzn_errortype": header} if header else {}
    given_answer = answer(
        {"message": f"no: {PROMPT}", **named}, shape.metadata["error"]["httpStatusCode"], retry_after="9", **headers
    )
    assert parsed(given_answer)["Error"]["Code"] == shape.name
    fault = await fault_of(opened(Wire(given_answer)))
    assert (fault.kind, fault.code, fault.retry_after_s) == (KINDS[shape.name], shape.name, 9.0)


@pytest.mark.parametrize(
    ("name", "status", "text", "kind"),
    [
        ("ValidationException", 400, "Input is too long for requested model.", FaultKind.TOO_LONG),
        ("ValidationException", 400, "The provided model identifier is invalid.", FaultKind.UNKNOWN_MODEL),
        ("ThrottlingException", 429, "Too many tokens per day, please wait", FaultKind.QUOTA),
        ("ExpiredTokenException", 403, "expired", FaultKind.CREDENTIALS),
        ("UnrecognizedClientException", 403, "The security token is invalid", FaultKind.CREDENTIALS),
        ("InvalidSignatureException", 403, "mismatch", FaultKind.CREDENTIALS),
    ],
)
async def test_one_exception_that_means_several_things_is_told_apart(
    name: str, status: int, text: str, kind: FaultKind
) -> None:
    given_answer = answer({"message": text}, status, x_amzn_errortype=name)
    assert (await fault_of(opened(Wire(given_answer)))).kind is kind


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 200, FaultKind.MALFORMED),
        (json.dumps(SAMPLE).encode()[:-9], 200, FaultKind.MALFORMED),
        (b"{}", 200, FaultKind.MALFORMED),
        (b"<html>", 503, FaultKind.OVERLOADED),
        (b"", 301, FaultKind.MALFORMED),
    ],
)
async def test_what_is_no_answer_of_the_interface_is_a_fault(body: bytes, status: int, kind: FaultKind) -> None:
    assert (await fault_of(opened(Wire(answer(body, status))))).kind is kind


@pytest.mark.parametrize("model", [SONNET, ARN])
async def test_a_call_is_signed_as_botocore_signs_it(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(conversed())
    await opened(wire).complete(
        asking(model=model, tools=(TOOL,), headers={"traceparent": "00-1", "Authorization": "x"})
    )
    method, url, headers, body = wire.sent[0]
    stamp = dt.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda **_: stamp.replace(tzinfo=None))
    signed = ("content-type", "accept", "x-amz-content-sha256")
    theirs = botocore.awsrequest.AWSRequest(method, url, {name: headers[name] for name in signed}, body)
    credentials = botocore.credentials.Credentials("AKIDEXAMPLE", "very/secret", "st")
    botocore.auth.SigV4Auth(credentials, "bedrock", "eu-west-1").add_auth(theirs)
    assert headers["authorization"].replace(" ", "") == theirs.headers["Authorization"].replace(" ", "")
    assert headers["x-amz-security-token"] == "st"
    assert headers["traceparent"] == "00-1"


async def test_an_api_key_of_bedrocks_own_is_sent_instead_of_a_signature() -> None:
    wire = Wire(conversed())
    config = ProviderConfig(name="aws", type="bedrock", region="eu-west-1", api_key=Secret("bedrock-api-key"))
    await opened(wire, config).complete(asking(model=NOVA))
    assert wire.sent[0][2]["authorization"] == "Bearer bedrock-api-key"
    assert "x-amz-date" not in wire.sent[0][2]


async def test_the_probe_lists_and_a_missing_right_to_list_is_no_fault_of_a_signed_identity() -> None:
    wire = Wire(answer({"modelSummaries": []}))
    await opened(wire).probe(3.0)
    assert wire.sent[0][:2] == ("GET", "https://bedrock.eu-west-1.amazonaws.com/foundation-models?byProvider=Amazon")
    denied = Wire(answer({"message": "not authorized to perform"}, 403, x_amzn_errortype="AccessDeniedException"))
    await opened(denied).probe(3.0)
    by_key = ProviderConfig(name="aws", type="bedrock", region="eu-west-1", api_key=Secret("k"))
    for wire, config in ((denied, by_key), (Wire(answer({}, 403)), CONFIG), (Wire(answer({}, 503)), CONFIG)):
        with pytest.raises(ProviderFault):
            await opened(wire, config).probe(3.0)


@pytest.mark.parametrize(
    "region", ["eu-west-1", "us-gov-east-1", "cn-north-1", "eusc-de-east-1", "us-iso-east-1", "us-isob-east-1"]
)
async def test_the_host_is_the_one_that_botocore_knows_for_the_region(region: str) -> None:
    session = botocore.session.get_session()
    suffix = session._get_internal_component("endpoint_resolver").get_partition_dns_suffix(
        session.get_partition_for_region(region)
    )
    wire = Wire(conversed())
    await opened(wire, ProviderConfig(name="aws", type="bedrock", region=region, api_key=Secret("k"))).complete(
        asking()
    )
    assert wire.sent[0][1].startswith(f"https://bedrock-runtime.{region}.{suffix}/model/")


@pytest.mark.parametrize(
    "region", ["", "evil.example/", "eu-west-1.evil.example", "eu-west-1#", "eu_west_1", "eu-west-1\n"]
)
def test_a_region_is_a_region_and_nothing_else(region: str) -> None:
    config = ProviderConfig(name="aws", type="bedrock", region=region, api_key=Secret("k"))
    assert SPEC.check(config) == ["Amazon Bedrock needs a region, such as eu-central-1"]
    with pytest.raises(ProviderFault):
        SPEC.open(config, Wire(conversed()))


ERROR_SAMPLE = {"message": "per day too long", "__type": "ThrottlingException", "Message": "x"}


@settings(max_examples=80, deadline=None)
@given(body=like(SAMPLE) | like(ERROR_SAMPLE) | json_values, status=st.sampled_from([200, 400, 403, 429]))
async def test_no_answer_whatever_raises_anything_but_a_provider_fault(body: Any, status: int) -> None:
    try:
        got = await reply(answer(body, status), asking(model=SONNET, json_schema=SCHEMA))
    except ProviderFault:
        return
    assert isinstance(got.text, str)
    assert got.usage.cached + got.usage.cache_writes <= got.usage.prompt
