"""What every format shares: strict JSON, statuses as faults, Retry-After in both forms, codes and counts."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from axonflow_providers import FaultKind, HttpAnswer, Message, ModelRequest, ProviderFault, Role, estimated_tokens
from axonflow_providers.addresses import model_named, url_of
from axonflow_providers.estimates import told_usage
from axonflow_providers.json_answers import (
    LONGEST_RETRY_AFTER_S,
    cleaned_code,
    cleaned_name,
    decoded,
    encoded,
    error_object,
    fault,
    kind_of,
    retry_after_s,
    token_count,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
REQUEST = ModelRequest(model="m", messages=(Message(role=Role.USER, text="How much is it?"),))


class Reply(msgspec.Struct):
    n: int


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"n":1', b'{"n":"1"}', b"[]", b"null", b"\xff", b'{"n":1}x', b"<html>", b'{"n":NaN}', b"[" * 100_000],
)
def test_a_body_of_another_shape_is_malformed_and_is_not_quoted(body: bytes) -> None:
    with pytest.raises(ProviderFault) as caught:
        decoded(HttpAnswer(200, {}, body), Reply)
    assert caught.value.kind is FaultKind.MALFORMED
    assert caught.value.__cause__ is None


def test_fields_that_nobody_asked_for_are_skipped() -> None:
    assert decoded(HttpAnswer(200, {}, b'{"n":1,"other":{"deep":[1,2]}}'), Reply).n == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"oops", b"{" * 100_000, b'{"a":"' + b"x" * 70_000 + b'"}'])
def test_an_error_body_that_is_no_small_object_is_an_empty_one(body: bytes) -> None:
    assert error_object(HttpAnswer(500, {}, body)) == {}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, "malformed"),
        (307, "malformed"),
        (400, "invalid_request"),
        (401, "credentials"),
        (402, "quota"),
        (403, "credentials"),
        (404, "unknown_model"),
        (408, "timeout"),
        (413, "too_long"),
        (418, "invalid_request"),
        (422, "invalid_request"),
        (429, "rate_limited"),
        (500, "server"),
        (502, "server"),
        (503, "overloaded"),
        (504, "timeout"),
        (529, "overloaded"),
    ],
)
def test_a_status_says_what_went_wrong(status: int, kind: str) -> None:
    assert kind_of(status) == kind
    assert str(status) in str(fault(kind_of(status), HttpAnswer(status, {}, b"")))


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Mon, 01 Mar 2027 12:00:00 GMT"}, LONGEST_RETRY_AFTER_S),
        ({"retry-after": "999999999"}, LONGEST_RETRY_AFTER_S),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "20", "retry-after-ms": "250"}, 0.25),
    ],
)
def test_retry_after_is_read_in_both_forms_and_capped(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(headers, NOW) == wait_s


@given(st.text())
def test_whatever_stands_in_retry_after_is_a_wait_that_can_be_or_none(text: str) -> None:
    wait_s = retry_after_s({"retry-after": text}, NOW)
    assert wait_s is None or 0 <= wait_s <= LONGEST_RETRY_AFTER_S


@given(st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))
def test_a_code_is_short_and_plain_whatever_was_sent(value: object) -> None:
    code = cleaned_code(value)
    assert len(code) <= 64
    assert all(letter.isascii() and (letter.isalnum() or letter in "_.-") for letter in code)


@pytest.mark.parametrize("value", [None, True, -1, 1.5, float("nan"), float("inf"), 10**10, "12", [12]])
def test_what_is_no_count_of_tokens_is_not_taken_for_one(value: object) -> None:
    assert token_count(value) is None


def test_a_whole_float_is_a_count() -> None:
    assert token_count(12.0) == 12


@pytest.mark.parametrize("value", ["", None, 7, "My SSN is 123-45-6789", "x" * 300, "a\nb"])
def test_a_sentence_is_no_name_of_a_model(value: object) -> None:
    assert cleaned_name(value, "asked") == "asked"


def test_what_json_cannot_carry_is_the_requests_fault() -> None:
    with pytest.raises(ProviderFault) as caught:
        encoded({"text": "\ud800"})
    assert caught.value.of_the_request


@pytest.mark.parametrize("model", ["../admin", "a/b?c=d", "x#y", "a b", "arn:aws:x/y", "%2e%2e"])
def test_a_models_name_stays_one_segment_of_the_path(model: str) -> None:
    url = url_of("https://h.example/v1/", "models", model, "chat")
    assert url.startswith("https://h.example/v1/models/")
    assert url.removeprefix("https://h.example/v1/models/").count("/") == 1
    assert not set("?# ") & set(url)


@pytest.mark.parametrize("model", [".", "..", ""])
def test_a_models_name_cannot_move_up_the_path(model: str) -> None:
    with pytest.raises(ProviderFault):
        url_of("https://h.example", model, "chat")


@pytest.mark.parametrize("model", ["", "a\r\nb", " a", "ä", "x" * 257, "a\x00"])
def test_what_cannot_be_a_models_name_is_refused(model: str) -> None:
    with pytest.raises(ProviderFault) as caught:
        model_named(model)
    assert caught.value.kind is FaultKind.UNKNOWN_MODEL


def test_usage_that_was_told_is_taken_and_its_parts_fit_the_whole() -> None:
    usage = told_usage(REQUEST, ["x"], prompt=10, completion=5, cached=50, cache_writes=3, reasoning=9)
    assert (usage.prompt, usage.completion, usage.cached, usage.cache_writes, usage.reasoning) == (10, 5, 10, 0, 5)
    assert not usage.estimated


@pytest.mark.parametrize(("prompt", "completion"), [(None, None), (0, 5), (10, None)])
def test_usage_that_was_not_told_is_estimated_and_says_so(prompt: int | None, completion: int | None) -> None:
    usage = told_usage(REQUEST, ["Forty-two."], prompt=prompt, completion=completion)
    assert usage.estimated
    assert usage.prompt > 0
    assert usage.completion > 0


def test_only_an_empty_text_has_no_tokens() -> None:
    assert estimated_tokens("") == 0
    assert estimated_tokens("a") == 1
    assert estimated_tokens("日本語のテキスト") >= 4
