"""Text that a model or its tools would read must not get past the judge, wherever in the body it hides."""

from __future__ import annotations

import gzip
import json

import pytest
from support.gateway import HELLO, Gateway

SSN = "123-45-6789"
SSN_TEXT = f"My SSN is {SSN}"
ESCAPED = "\\u0031\\u0032\\u0033-45-6789"
AWS_KEY = "AKIAQWERTYUIOPASDF12"
CARD = 4111111111111111
CHAT = {"model": "gpt-4o-mini", "messages": HELLO}


def user(content: object) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": content}]}


def tool(parameters: object) -> dict[str, object]:
    return {**CHAT, "tools": [{"type": "function", "function": {"name": "f", "parameters": parameters}}]}


def called_with(arguments: str) -> dict[str, object]:
    call = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}
    return {"model": "m", "messages": [*HELLO, call]}


def assert_denied(gateway: Gateway, body: object) -> None:
    answer = gateway.post(body if isinstance(body, bytes) else json.dumps(body).encode())
    assert (answer.status, answer.json["error"]["code"]) == (400, "policy_denied")
    assert gateway.upstream.received == []


@pytest.mark.parametrize(
    "body",
    [
        user(f"data:image/png;base64,\n{SSN_TEXT}"),
        user(f"data:image/png;base64,{SSN_TEXT}"),
        user([{"type": "text", "text": f"data:audio/wav;base64,AAAA {SSN_TEXT}"}]),
        user([{"type": "image_url", "image_url": {"url": f"data:image/png;base64,AAAA#{SSN_TEXT}"}}]),
        user([{"type": "input_audio", "input_audio": {"data": SSN_TEXT, "format": "wav"}}]),
        tool({"properties": {"input_audio": {"data": SSN_TEXT}}}),
        tool({"properties": {"x.input_audio": {"data": SSN_TEXT}}}),
        {**CHAT, "messages[0].content[0].image_url": {"url": f"data:image/png;base64,{AWS_KEY}"}},
        user(AWS_KEY),
        user(f"data:image/png;base64,{AWS_KEY}"),
    ],
)
def test_text_that_poses_as_media_is_judged(gateway: Gateway, body):
    assert_denied(gateway, body)


def test_media_itself_is_not_read_as_text(gateway: Gateway):
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{AWS_KEY}+/AA=="}}
    sound = {"type": "input_audio", "input_audio": {"data": f"{AWS_KEY}+/AA==", "format": "wav"}}
    assert gateway.post(user([{"type": "text", "text": "What is this?"}, image, sound])).status == 200


@pytest.mark.parametrize("key", [AWS_KEY, SSN, SSN_TEXT, "card 4111111111111111"])
def test_a_secret_as_the_name_of_a_property_is_judged(gateway: Gateway, key):
    assert_denied(gateway, tool({"type": "object", "properties": {key: {"type": "string"}}}))


@pytest.mark.parametrize(
    "body",
    [
        user(CARD),
        user([{"type": "text", "text": CARD}]),
        tool({"enum": [CARD]}),
        tool({"default": -CARD}),
        tool({"properties": {"a": {"const": float(CARD)}}}),
        b'{"model":"m","messages":[{"role":"user","content":4.111111111111111e15}]}',
    ],
)
def test_a_card_number_written_as_a_json_number_is_judged(gateway: Gateway, body):
    assert_denied(gateway, body)


def test_the_bounds_that_schemas_usually_carry_and_a_seed_are_no_card_numbers(gateway: Gateway):
    bounds = {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991}
    answer = gateway.post({**tool({"properties": {"n": bounds}}), "seed": CARD})
    assert answer.status == 200


@pytest.mark.parametrize(
    "arguments",
    [
        f'{{"a":"{ESCAPED}","a":"x"}}',
        f'{{"n":{"1" * 5000},"a":"{ESCAPED}"}}',
        f'{{"n":{"[" * 5000}{"]" * 5000},"a":"{ESCAPED}"}}',
        f'{{"a":"{ESCAPED}"}},',
        f'"{ESCAPED}"',
        json.dumps(json.dumps({"a": SSN}).replace(SSN, ESCAPED)),
    ],
    ids=["same key twice", "a number Python refuses", "too deep for Python", "trailing comma", "a string", "twice"],
)
def test_an_escape_in_arguments_hides_nothing_from_any_reader_of_them(gateway: Gateway, arguments):
    assert_denied(gateway, called_with(arguments))


@pytest.mark.parametrize("content", [{"a": SSN_TEXT}, [[[SSN_TEXT]]], [SSN_TEXT], [{"type": 7, "text": [SSN_TEXT]}]])
def test_content_of_a_shape_nobody_expects_is_judged(gateway: Gateway, content):
    assert_denied(gateway, user(content))


@pytest.mark.parametrize("value", [b"[]", b"{}", b"[false]", b"0", b"0.0", b"1", b'""', b'"false"', b"[true]", b"-0"])
def test_stream_is_false_or_absent_or_the_call_is_refused(gateway: Gateway, value):
    answer = gateway.post(b'{"model":"m","messages":[{"role":"user","content":"a"}],"stream":' + value + b"}")
    assert (answer.status, answer.json["error"]["code"]) == (400, "stream_not_supported")
    assert gateway.upstream.received == []


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(json.dumps(user(SSN_TEXT)).encode(), mtime=0),  # the same id in every worker
        b"\xef\xbb\xbf" + json.dumps(CHAT).encode(),
        json.dumps(CHAT).encode("utf-16"),
        json.dumps(CHAT).encode("utf-32-le"),
        json.dumps(CHAT).encode() + b"{}",
        json.dumps(CHAT).encode() + b"\0",
        b"\xc2\xa0" + json.dumps(CHAT).encode(),
        b'{"model":"m","messages":[{"role":"user","content":"\xc0\xaf"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"a\nb"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"\\x41"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"a","\\u0063ontent":"b"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"x":01}',
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"x":' + b"9" * 4000 + b"}",
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"x":1e400}',
    ],
)
def test_a_body_in_another_encoding_or_with_more_than_json_is_refused(gateway: Gateway, body):
    for headers in ({}, {"Content-Encoding": "gzip"}, {"Content-Type": "application/json; charset=utf-16"}):
        answer = gateway.post(body, {**gateway.headers, **headers})
        assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")
    assert gateway.upstream.received == []


def test_a_claimed_encoding_changes_neither_what_is_judged_nor_what_is_sent(gateway: Gateway):
    headers = {**gateway.headers, "Content-Encoding": "gzip", "Content-Type": "text/plain; charset=utf-16"}
    assert gateway.post(user(SSN_TEXT), headers).json["error"]["code"] == "policy_denied"
    body = json.dumps(CHAT).encode()
    assert gateway.post(body, headers).status == 200
    [received] = gateway.upstream.received
    assert received.body == body
    sent = {name.lower(): value for name, value in received.headers}
    assert sent["content-type"] == "application/json"
    assert "content-encoding" not in sent
