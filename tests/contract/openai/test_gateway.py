"""The gateway on the wire: what it refuses, what it forwards and what it writes down."""

from __future__ import annotations

import json
import socket
import time

import pytest
from support.gateway import HELLO, ORG, PROVIDER_KEY, SSN_TEXT, Gateway, basic, rows
from support.upstream import completion, endless, ok, raw

CHAT = {"model": "gpt-4o-mini", "messages": HELLO}


def error_of(answer):
    return answer.json["error"]


def decision_of(answer):
    assert len(answer.headers["x-axonflow-trace-id"]) == 32
    return answer.headers["x-axonflow-decision-id"]


def test_the_received_bytes_are_forwarded_and_the_reply_comes_back_as_bytes(gateway: Gateway):
    body = b'{ "messages" :[ {"content":"caf\\u00e9 \xc3\xa9","role":"user"}],\n\t"model":"gpt-4o-mini","x":1.0e2 }'
    sent = completion()
    gateway.upstream.respond = ok(sent, {"Content-Type": "application/json; charset=utf-8", "Set-Cookie": "a=b"})
    answer = gateway.post(body)
    assert (answer.status, answer.body) == (200, sent)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert "set-cookie" not in answer.headers
    assert gateway.upstream.received[0].body == body


def test_the_seeds_denial_comes_out_word_for_word(gateway: Gateway):
    answer = gateway.chat(SSN_TEXT)
    assert answer.status == 400
    assert answer.json == {
        "error": {
            "message": "Request blocked by policy: Social Security Number detected",
            "type": "policy_violation",
            "param": None,
            "code": "policy_denied",
        }
    }
    decision_of(answer)


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": SSN_TEXT}, *HELLO],
        [{"role": "assistant", "content": SSN_TEXT}, *HELLO],
        [{"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": SSN_TEXT}]}],
        [*HELLO, {"role": "tool", "tool_call_id": "c", "content": SSN_TEXT}],
        [
            *HELLO,
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": '{"a":"123-45-6789"}'}}]},
        ],
        [{"role": "user", "name": "123-45-6789", "content": "Hi"}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"https://x/?q={SSN_TEXT}"}}]}],
    ],
    ids=["system", "assistant", "second part", "tool result", "tool-call arguments", "name", "image address"],
)
def test_every_text_of_every_message_is_judged(gateway: Gateway, messages):
    answer = gateway.post({"model": "m", "messages": messages})
    assert (answer.status, error_of(answer)["code"]) == (400, "policy_denied")
    assert gateway.upstream.received == []


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "function", "function": {"name": "f", "description": SSN_TEXT}}]},
        {"functions": [{"name": "f", "description": SSN_TEXT}]},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "description": SSN_TEXT}}},
        {"prediction": {"type": "content", "content": SSN_TEXT}},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {SSN_TEXT: {}}}}}]},
    ],
    ids=["tool description", "function description", "response format", "prediction", "property name"],
)
def test_texts_beside_the_messages_are_judged_too(gateway: Gateway, more):
    answer = gateway.post({**CHAT, **more})
    assert (answer.status, error_of(answer)["code"]) == (400, "policy_denied")


def test_an_escape_in_tool_call_arguments_hides_nothing(gateway: Gateway):
    arguments = '{"a":"\\u0031\\u0032\\u0033-45-6789"}'
    call = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}
    answer = gateway.post({"model": "m", "messages": [*HELLO, call]})
    assert error_of(answer)["code"] == "policy_denied"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", ""),
        (b"{", ""),
        (b"[]", ""),
        (b'"text"', ""),
        (b'{"model":"m","messages":[{"role":"user","content":"a"}],"messages":[]}', ""),
        (b'{"model":"m","messages":[{"role":"user","content":"a","content":"b"}]}', ""),
        (b'{"model":"m","messages":[{"role":"user","content":"\xff"}]}', ""),
        (b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}', ""),
        (b'{"model":"m","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}", ""),
        (b'{"model":"m","messages":[{"role":"user","content":"a"}],"temperature":NaN}', ""),
        (b'{"model":"m","messages":[{"role":"user","content":"a"}],"seed":' + b"9" * 5000 + b"}", ""),
        (b'{"messages":[{"role":"user","content":"a"}]}', "missing_model"),
        (b'{"model":"","messages":[{"role":"user","content":"a"}]}', "missing_model"),
        (b'{"model":7,"messages":[{"role":"user","content":"a"}]}', "missing_model"),
        (b'{"model":"m"}', "missing_messages"),
        (b'{"model":"m","messages":[]}', "missing_messages"),
        (b'{"model":"m","messages":"hi"}', "missing_messages"),
        (b'{"model":"m","messages":["hi"]}', "missing_messages"),
        (b'{"model":"m","messages":[{"role":"user","content":"a"}],"stream":true}', "stream_not_supported"),
        (b'{"stream":true}', "stream_not_supported"),
        (b'{"model":"m","messages":[{"role":"user","content":"a"}],"stream":"yes"}', "stream_not_supported"),
    ],
)
def test_a_body_that_two_readers_could_read_differently_is_refused(gateway: Gateway, body, code):
    answer = gateway.post(body)
    assert answer.status == 400
    assert (error_of(answer)["type"], error_of(answer)["code"]) == ("invalid_request_error", code)
    assert gateway.upstream.received == []
    decision_of(answer)


def test_what_is_refused_before_it_is_judged_leaves_a_row_and_a_flood_leaves_its_count(gateway: Gateway):
    time.sleep(1.1)  # a fold begins when an address and reason were quiet for a second
    answers = [gateway.post(b"{") for _ in range(40)]
    first, flood = decision_of(answers[0]), {decision_of(answer) for answer in answers}
    [row] = gateway.rows("audit_logs", first)
    assert (row["verdict"], row["reason"], row["folded_count"]) == ("error", "malformed", 1)
    deadline = time.monotonic() + 10
    counted = 0
    while counted < len(answers) and time.monotonic() < deadline:
        time.sleep(0.2)
        found = [row for row in rows(gateway.database_url, "audit_logs") if row["decision_id"] in flood]
        counted = sum(row["folded_count"] for row in found)
    assert counted == len(answers)


@pytest.mark.parametrize("key", ["", "   ", "sk\u00e9", "sk key"])
def test_a_provider_key_that_cannot_be_one_is_refused(gateway: Gateway, key):
    headers = {**gateway.credentials, "X-Provider-Key": key.encode().decode("latin-1")}
    answer = gateway.post(CHAT, headers)
    assert (answer.status, error_of(answer)["code"]) == (400, "missing_provider_key")


@pytest.mark.parametrize("value", [b"sk-1\rX: y", b"sk-1\x00", b"sk-1\x0b"])
def test_control_characters_in_the_provider_key_reach_nobody(gateway: Gateway, value):
    body = json.dumps(CHAT).encode()
    head = [b"POST /v1/chat/completions HTTP/1.1", b"Host: a", b"Connection: close", b"X-Provider-Key: " + value]
    head += [f"{name}: {text}".encode() for name, text in gateway.credentials.items()]
    head += [b"Content-Type: application/json", b"Content-Length: %d" % len(body), b"", body]
    with socket.create_connection(("127.0.0.1", gateway.service.port), timeout=10) as connection:
        connection.sendall(b"\r\n".join(head))
        answer = connection.recv(65_536)
    assert answer.split(b" ")[1] == b"400"
    assert gateway.upstream.received == []


def test_a_body_over_the_limit_is_413_in_the_gateways_envelope(gateway: Gateway):
    answer = gateway.post(b'{"model":"m","messages":[{"role":"user","content":"' + b"a" * 10_485_760 + b'"}]}')
    assert (answer.status, error_of(answer)["type"]) == (413, "invalid_request_error")
    [row] = gateway.rows("audit_logs", decision_of(answer))
    assert row["verdict"] == "error"


@pytest.mark.parametrize(
    "respond",
    [
        raw(b""),
        raw(b"not http at all\r\n\r\n"),
        raw(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"half'),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"),
        endless(),
    ],
    ids=["reset", "no http", "truncated", "not json", "compressed unasked", "huge"],
)
def test_an_unusable_reply_is_a_502_with_one_row_of_no_tokens(gateway: Gateway, respond):
    gateway.upstream.respond = respond
    answer = gateway.post(CHAT)
    assert (answer.status, error_of(answer)["type"], error_of(answer)["code"]) == (502, "server_error", "")
    decision_id = decision_of(answer)
    [call] = gateway.rows("llm_call_audits", decision_id)
    assert (call["decision"], call["total_tokens"]) == ("allow", 0)
    [row] = gateway.rows("audit_logs", decision_id)
    assert row["error_message"]


def test_a_call_leaves_one_row_that_says_who_what_and_how_much(gateway: Gateway):
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = gateway.post(CHAT, {**gateway.headers, "traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    assert answer.headers["x-axonflow-trace-id"] == trace
    decision_id = decision_of(answer)
    [row] = gateway.rows("audit_logs", decision_id)
    assert (row["verdict"], row["plane"], row["phase"]) == ("allowed", "openai_compat", "request")
    assert (row["org_id"], row["trace_id"], row["provider"]) == (ORG, trace, "openai")
    assert row["query"].startswith("Say hello.")
    assert len(row["policy_set_hash"]) >= 32
    [call] = gateway.rows("llm_call_audits", decision_id)
    assert (call["model"], call["total_tokens"]) == ("gpt-4o-mini-2024-07-18", 17)
    assert float(call["estimated_cost_usd"]) == pytest.approx((12 * 0.00015 + 5 * 0.0006) / 1000)


def test_rows_hold_no_number_that_was_found_and_say_where_the_action_came_from(gateway: Gateway):
    answer = gateway.chat(SSN_TEXT)
    [row] = gateway.rows("audit_logs", decision_of(answer))
    assert "123-45-6789" not in json.dumps(row, default=str)
    assert row["verdict"] == "blocked"
    [match] = [match for match in row["matched_policies"] if match["policy_id"] == "sys_pii_ssn"]
    assert (match["action"], match["origin"]) == ("block", "stored")


def test_the_provider_key_is_in_no_row_and_no_log(gateway: Gateway):
    gateway.post(CHAT)
    gateway.post(b"{broken")
    gateway.upstream.respond = raw(b"")
    gateway.post(CHAT)
    kept = [rows(gateway.database_url, table) for table in ("audit_logs", "llm_call_audits")]
    assert PROVIDER_KEY not in json.dumps(kept, default=str)
    assert PROVIDER_KEY not in gateway.service.output


def test_what_only_mentions_sql_passes(gateway: Gateway):
    for text in ("Select a restaurant and drop me a line", "How does GRANT work in Postgres?"):
        assert gateway.chat(text).status == 200


def test_an_unknown_route_is_json_and_a_wrong_method_names_the_right_one(gateway: Gateway):
    answer = gateway.post(CHAT, path="/v1/chat/completionz")
    assert (answer.status, answer.json["error"]) == (404, "not_found")


def test_two_slashes_in_front_are_one_since_a_published_sdk_sends_them(gateway: Gateway):
    answer = gateway.post(CHAT, path="//v1/chat/completions")
    assert answer.status == 200
    decision_of(answer)


def test_a_body_of_megabytes_is_forwarded_whole(gateway: Gateway):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "lorem ipsum " * 300_000}]}).encode()
    answer = gateway.post(body)
    assert answer.status == 200
    [received] = gateway.upstream.received
    assert received.body == body
    assert {name.lower() for name, _ in received.headers} == {"host", "content-length", "content-type", "authorization"}


def test_identity_headers_from_outside_change_nothing(gateway: Gateway):
    forged = {"X-Org-ID": "other-org", "X-Tenant-ID": "other", "X-User-ID": "root"}
    answer = gateway.post(CHAT, {**gateway.headers, **forged})
    [row] = gateway.rows("audit_logs", decision_of(answer))
    assert row["org_id"] == ORG
    assert "other" not in json.dumps(row, default=str)


class TestCredentials:
    @pytest.fixture(autouse=True)
    def _only_where_they_are_asked_for(self, gateway: Gateway):
        if gateway.mode == "community":
            pytest.skip("community asks for no credentials")

    @pytest.mark.parametrize(
        "authorization",
        [None, "Bearer any-value", "Basic ", "Basic !!!", basic("nobody", "x" * 40), basic("teller-app", "x" * 40)],
    )
    def test_without_right_credentials_the_call_is_refused_and_leaves_a_row(self, gateway: Gateway, authorization):
        headers = {"X-Provider-Key": PROVIDER_KEY} | ({"Authorization": authorization} if authorization else {})
        answer = gateway.post(CHAT, headers)
        assert answer.status == 401
        assert answer.json["error"]["code"] == 401
        [row] = gateway.rows("audit_logs", decision_of(answer))
        assert (row["verdict"], row["tenant_id"]) == ("blocked", "unauthenticated")
        assert gateway.upstream.received == []
