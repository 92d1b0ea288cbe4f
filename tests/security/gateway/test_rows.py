"""Every answer of the gateway has one row, the row can be kept, and it says what was so."""

from __future__ import annotations

import json
import socket
import threading
import time
from decimal import Decimal

import pytest
from support.gateway import HELLO, PROVIDER_KEY, Answer, Gateway, request
from support.upstream import ok, raw

SSN = "123-45-6789"
CHAT = {"model": "gpt-4o-mini", "messages": HELLO}
PATH = "/v1/chat/completions"


@pytest.fixture
def _unfolded():
    time.sleep(1.1)  # beyond twenty a second, refusals of one address share a row


def rows_of(gateway: Gateway, answer: Answer) -> list[dict[str, object]]:
    return gateway.rows("audit_logs", answer.headers["x-axonflow-decision-id"])


def call_of(gateway: Gateway, answer: Answer) -> dict[str, object]:
    [call] = gateway.rows("llm_call_audits", answer.headers["x-axonflow-decision-id"])
    return call


@pytest.mark.usefixtures("_unfolded")
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "BREW"])
def test_a_wrong_method_leaves_its_row_and_names_the_right_one(gateway: Gateway, method):
    answer = request(f"{gateway.service.url}{PATH}", method, gateway.headers)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    [row] = rows_of(gateway, answer)
    assert (row["verdict"], row["reason"], row["metadata"]["status"]) == ("error", "wrong_method", 405)


@pytest.mark.usefixtures("_unfolded")
@pytest.mark.parametrize("path", [f"/{PATH}", "/v1/chat/%63ompletions", f"{PATH}?api-version=1"])
@pytest.mark.parametrize(("body", "status"), [(CHAT, 200), (b"{", 400)])
def test_another_spelling_of_the_path_is_governed_alike(gateway: Gateway, path, body, status):
    answer = gateway.post(body, path=path)
    assert answer.status == status
    assert len(rows_of(gateway, answer)) == 1


@pytest.mark.usefixtures("_unfolded")
@pytest.mark.parametrize("path", ["/v1//chat/completions", "/v1/chat//completions", "/v1/./chat/completions"])
def test_an_answer_that_carries_a_decision_id_has_a_row(gateway: Gateway, path):
    answer = gateway.post(CHAT, path=path)
    assert answer.status in {400, 404}
    if "x-axonflow-decision-id" in answer.headers:
        assert len(rows_of(gateway, answer)) == 1


def test_what_was_found_in_the_models_name_or_in_a_key_is_in_no_row(gateway: Gateway):
    named = gateway.post({"model": f"My SSN is {SSN}", "messages": HELLO})
    keyed = gateway.post({**CHAT, "tools": [{"properties": {f"My SSN is {SSN}": {"title": f"SSN {SSN}"}}}]})
    assert named.json["error"]["code"] == keyed.json["error"]["code"] == "policy_denied"
    for answer in (named, keyed):
        kept = [rows_of(gateway, answer), call_of(gateway, answer)]
        assert SSN not in json.dumps(kept, default=str)
    assert call_of(gateway, named)["model"] == "My SSN is XXX-XX-6789"


def test_a_long_path_to_a_match_is_cut_in_the_row(gateway: Gateway):
    inner: object = f"My SSN is {SSN}"
    for _ in range(90):
        inner = {"a" * 32: inner}
    answer = gateway.post({**CHAT, "tools": [inner]})
    [row] = rows_of(gateway, answer)
    assert all(len(match["path"]) < 250 for match in row["matched_policies"])


@pytest.mark.parametrize("model", ["m\u0000m", "m" * 1_000_000, "\U0001f600" * 5000, "a\nb\x1b[31m", "\u202egnp.exe"])
def test_any_name_of_a_model_can_be_kept(gateway: Gateway, model):
    answer = gateway.post({"model": model, "messages": HELLO})
    assert answer.status == 200
    assert len(rows_of(gateway, answer)) == 1


def test_very_many_messages_and_a_very_long_tool_name_leave_a_row(gateway: Gateway):
    many = gateway.post({"model": "m", "messages": [{"role": "user", "content": "a"}] * 60_000})
    long = gateway.post({**CHAT, "tools": [{"type": "function", "function": {"name": "f" * 5_000_000}}]})
    assert [many.status, long.status] == [200, 200]
    assert [len(rows_of(gateway, answer)) for answer in (many, long)] == [1, 1]


USAGES = [
    ("null", 0, 0),
    ("[]", 0, 0),
    ('{"prompt_tokens":-5,"completion_tokens":-1}', 0, 0),
    ('{"prompt_tokens":2.0,"completion_tokens":1}', 2, 1),
    ('{"prompt_tokens":1.5,"completion_tokens":4}', 0, 4),
    ('{"prompt_tokens":1e400,"completion_tokens":4}', 0, 0),
    ('{"prompt_tokens":"7","completion_tokens":4}', 0, 4),
    ('{"prompt_tokens":null,"completion_tokens":3}', 0, 3),
    ('{"prompt_tokens":true,"completion_tokens":3}', 0, 3),
    ('{"prompt_tokens":3,"prompt_tokens_details":7}', 3, 0),
    ('{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":1e30}}', 3, 4),
    ('{"prompt_tokens":9223372036854775807,"completion_tokens":9223372036854775807}', 0, 0),
    ('{"prompt_tokens":1000000000000,"completion_tokens":5}', 0, 5),
    ('{"prompt_tokens":' + "9" * 40 + ',"completion_tokens":1}', 0, 1),
]


@pytest.mark.parametrize(("usage", "prompt", "completion"), USAGES)
def test_odd_usage_costs_neither_the_row_nor_the_reply_nor_the_models_name(gateway: Gateway, usage, prompt, completion):
    reply = b'{"model":"gpt-4o","usage":' + usage.encode() + b"}"
    gateway.upstream.respond = ok(reply)
    answer = gateway.post(CHAT)
    assert (answer.status, answer.body) == (200, reply)
    assert len(rows_of(gateway, answer)) == 1
    call = call_of(gateway, answer)
    assert (call["prompt_tokens"], call["completion_tokens"]) == (prompt, completion)
    assert Decimal(0) <= call["estimated_cost_usd"] < 1
    if "1e400" not in usage:  # no reader of ours takes such a number, so nothing of that reply is known
        assert call["model"] == "gpt-4o"


def test_tokens_that_were_not_counted_as_told_are_marked(gateway: Gateway):
    gateway.upstream.respond = ok(b'{"model":"gpt-4o","usage":{"prompt_tokens":-5,"completion_tokens":1}}')
    assert call_of(gateway, gateway.post(CHAT))["metadata"]["usage"] == "implausible"


@pytest.mark.parametrize("name", ["x" * 5000, "a\nb", "a\u0000b", "a b", "{}"])
def test_a_reply_without_a_plain_model_name_makes_no_label_of_it(gateway: Gateway, name):
    reply = {"model": name, "usage": {"prompt_tokens": 3, "completion_tokens": 4}}
    gateway.upstream.respond = ok(json.dumps(reply).encode())
    assert gateway.post(CHAT).status == 200
    assert f'model="{name[:4]}' not in exposition(gateway)


def test_the_name_that_a_caller_asks_for_is_no_label(gateway: Gateway):
    gateway.upstream.respond = ok(b'{"usage":{"prompt_tokens":3,"completion_tokens":4}}')
    answer = gateway.post({"model": "asked-for-by-a-caller", "messages": HELLO})
    assert call_of(gateway, answer)["prompt_tokens"] == 3
    assert "asked-for-by-a-caller" not in exposition(gateway)


def exposition(gateway: Gateway) -> str:
    return request(f"{gateway.service.url}/prometheus", "GET", {}).body.decode()


@pytest.mark.parametrize("value", ["\u2713".encode(), b"\xe9", b"a\x01b"])
@pytest.mark.parametrize("name", [b"x-request-id", b"openai-model", b"content-type"])
def test_a_header_of_the_provider_that_cannot_be_passed_on_is_left_out(gateway: Gateway, name, value):
    gateway.upstream.respond = raw(b"HTTP/1.1 200 OK\r\n" + name + b": " + value + b"\r\nContent-Length: 2\r\n\r\n{}")
    answer = gateway.post(CHAT)
    assert (answer.status, answer.body) == (200, b"{}")
    assert len(rows_of(gateway, answer)) == 1
    assert name.decode() not in answer.headers


@pytest.mark.parametrize("status", [b"000", b"099", b"101", b"103"])
def test_a_status_that_no_answer_has_is_an_unreadable_reply(gateway: Gateway, status):
    gateway.upstream.respond = raw(b"HTTP/1.1 " + status + b" X\r\nContent-Length: 2\r\n\r\n{}")
    answer = gateway.post(CHAT)
    assert answer.status == 502
    assert len(rows_of(gateway, answer)) == 1


def test_a_caller_that_hangs_up_leaves_the_row_of_the_call_that_was_made(gateway: Gateway):
    gateway.upstream.respond = ok(delay_s=1.0)
    before = len(gateway.rows_all("llm_call_audits"))
    body = json.dumps(CHAT).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nX-Provider-Key: {PROVIDER_KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", gateway.service.port), timeout=10)
    connection.sendall(head.encode() + body)
    deadline = time.monotonic() + 10
    while not gateway.upstream.received and time.monotonic() < deadline:
        time.sleep(0.02)
    connection.close()
    while len(gateway.rows_all("llm_call_audits")) == before and time.monotonic() < deadline:
        time.sleep(0.1)
    calls = gateway.rows_all("llm_call_audits")[before:]
    assert [(call["decision"], call["total_tokens"]) for call in calls] == [("allow", 17)]


def test_a_body_that_never_ends_leaves_no_call(gateway: Gateway):
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nX-Provider-Key: k\r\nContent-Length: 100\r\n\r\n{{"
    with socket.create_connection(("127.0.0.1", gateway.service.port), timeout=10) as connection:
        connection.sendall(head.encode())
    assert gateway.post(CHAT).status == 200
    assert len(gateway.upstream.received) == 1


def test_no_input_of_these_tests_was_a_bug_to_the_agent(gateway: Gateway):
    for body in (
        b"",
        b"null",
        b"{}",
        b'{"stream":[]}',
        b'{"model":[],"messages":{}}',
        b'{"model":"m","messages":[[]]}',
    ):
        assert gateway.post(body).status == 400
    assert "failed on a bug" not in gateway.service.output
    assert "broke off" not in gateway.service.output


class TestTheEndOfAProcess:
    def test_a_call_that_the_drain_cuts_leaves_its_row(self, database_url: str, tmp_path):
        from support.gateway import rows, running_gateway
        from support.upstream import running_upstream

        with (
            running_upstream() as upstream,
            running_gateway(database_url, upstream, tmp_path, AXONFLOW_DRAIN_TIMEOUT="3s") as gateway,
        ):
            upstream.respond = ok(delay_s=20)
            caller = threading.Thread(target=_call_and_ignore, args=(gateway,), daemon=True)
            caller.start()
            deadline = time.monotonic() + 10
            while not upstream.received and time.monotonic() < deadline:
                time.sleep(0.02)
            assert gateway.service.terminate(20) == 0
            [call] = rows(database_url, "llm_call_audits")
            [row] = rows(database_url, "audit_logs")
        assert (call["decision"], call["total_tokens"]) == ("allow", 0)
        assert row["error_message"] == "interrupted"


def _call_and_ignore(gateway: Gateway) -> None:
    try:
        gateway.post(CHAT)
    except OSError:
        return
