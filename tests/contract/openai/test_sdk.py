"""Unmodified official SDKs against a running agent."""

from __future__ import annotations

import json

from support.gateway import HELLO, PROVIDER_KEY, SSN_TEXT, Gateway
from support.sdk import Sdk
from support.upstream import completion, ok, status

MODEL = "gpt-4o-mini"


def user(text):
    return {"model": MODEL, "messages": [{"role": "user", "content": text}]}


def correlated(outcome):
    headers = outcome["headers"]
    assert len(headers["x-axonflow-decision-id"]) == 36
    assert len(headers["x-axonflow-trace-id"]) == 32
    return headers["x-axonflow-decision-id"]


def test_an_answer_reaches_the_sdk_as_the_provider_sent_it(gateway: Gateway, sdk: Sdk):
    sent = completion("Guten Tag \u2014 \U0001f44b")
    gateway.upstream.respond = ok(sent)
    [outcome] = sdk.run(gateway, user("Say hello in German."))
    assert outcome["text"] == "Guten Tag \u2014 \U0001f44b"
    assert outcome["model"] == "gpt-4o-mini-2024-07-18"
    assert outcome["tokens"] == 17
    if "body" in outcome:
        assert outcome["body"].encode() == sent
    decision_id = correlated(outcome)
    [row] = gateway.rows("llm_call_audits", decision_id)
    assert (row["decision"], row["prompt_tokens"], row["completion_tokens"]) == ("allow", 12, 5)


def test_a_denial_is_a_bad_request_with_its_code_and_the_provider_hears_nothing(gateway: Gateway, sdk: Sdk):
    [outcome] = sdk.run(gateway, user(SSN_TEXT))
    assert outcome["error"] == "BadRequestError"
    assert (outcome["status"], outcome["code"], outcome["type"]) == (400, "policy_denied", "policy_violation")
    assert "Request blocked by policy: Social Security Number detected" in outcome["message"]
    assert gateway.upstream.received == []
    [row] = gateway.rows("llm_call_audits", correlated(outcome))
    assert (row["decision"], row["total_tokens"]) == ("deny", 0)


def test_streaming_is_refused_with_its_own_code(gateway: Gateway, sdk: Sdk):
    [outcome] = sdk.run(gateway, {**user("Hello."), "stream": True})
    assert (outcome["status"], outcome["code"]) == (400, "stream_not_supported")
    correlated(outcome)


def test_without_a_provider_key_the_sdk_sees_which_header_is_missing(gateway: Gateway, sdk: Sdk):
    [outcome] = sdk.run(gateway, user("Hello."), headers=gateway.credentials)
    assert (outcome["status"], outcome["code"]) == (400, "missing_provider_key")
    correlated(outcome)


def test_provider_errors_keep_their_class_code_and_message(gateway: Gateway, sdk: Sdk):
    expected = {
        401: ("AuthenticationError", "invalid_api_key"),
        404: ("NotFoundError", "model_not_found"),
        429: ("RateLimitError", "rate_limit_exceeded"),
        500: ("InternalServerError", "server_error"),
        503: ("InternalServerError", "overloaded"),
    }
    for code, (name, word) in expected.items():
        error = {"error": {"message": f"provider said {code}", "type": "t", "param": None, "code": word}}
        gateway.upstream.respond = status(code, json.dumps(error).encode(), {"x-request-id": "req_1"})
        [outcome] = sdk.run(gateway, user("Hello."))
        assert (outcome["error"], outcome["status"], outcome["code"]) == (name, code, word)
        assert f"provider said {code}" in outcome["message"]
        assert outcome["headers"]["x-request-id"] == "req_1"
        [row] = gateway.rows("llm_call_audits", correlated(outcome))
        assert (row["decision"], row["total_tokens"]) == ("allow", 0)


def test_tools_parts_and_unknown_members_pass_untouched(gateway: Gateway, sdk: Sdk):
    call = {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "You are terse."},
            {"role": "user", "content": [{"type": "text", "text": "Weather in Paris?"}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": '{"celsius":21}'},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
        "temperature": 0.25,
        "seed": 7,
        "metadata": {"team": "blue"},
    }
    [outcome] = sdk.run(gateway, call)
    assert outcome["text"] == "Hello."
    [received] = gateway.upstream.received
    assert json.loads(received.body) == call


def test_the_provider_receives_two_headers_and_its_own_key(gateway: Gateway, sdk: Sdk):
    headers = {**gateway.headers, "OpenAI-Organization": "org-1", "OpenAI-Beta": "x", "X-Custom": "y"}
    sdk.run(gateway, {"model": MODEL, "messages": HELLO}, headers=headers)
    [received] = gateway.upstream.received
    named = {name.lower(): value for name, value in received.headers}
    assert set(named) == {"host", "content-length", "content-type", "authorization"}
    assert named["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert named["content-type"] == "application/json"
    assert received.path == "/v1/chat/completions"
