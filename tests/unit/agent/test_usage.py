"""What the gateway takes from a provider's reply."""

import json

import pytest
from axonflow_agent.openai.usage import Told, UnreadableReply, told_by
from axonflow_pricing import Usage


def told(**reply):
    return told_by(json.dumps(reply).encode())


def test_model_and_tokens_are_taken_as_told():
    usage = {"prompt_tokens": 12, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 8}}
    assert told(model="gpt-4o", usage=usage) == Told("gpt-4o", Usage(prompt=12, completion=5, cached=8))


@pytest.mark.parametrize("usage", [{}, {"prompt_tokens": None}, {"prompt_tokens_details": None}])
def test_what_is_left_out_is_zero(usage):
    assert told(model="m", usage=usage) == Told("m", Usage())


@pytest.mark.parametrize("number", [-1, 1.5, 10**10, 10**30, "7", True, [], {}, float("1e300")])
def test_a_number_that_counts_nothing_is_zero_and_said_to_be(number):
    found = told(model="m", usage={"prompt_tokens": number, "completion_tokens": 3})
    assert (found.usage, found.note, found.model) == (Usage(completion=3), "implausible", "m")


@pytest.mark.parametrize("usage", [None, [], 5, "x"])
def test_usage_of_another_shape_is_missing(usage):
    assert told(model="m", usage=usage) == Told("m", Usage(), "missing")


@pytest.mark.parametrize("body", [b"", b"hello", b"{", b'{"a":' + b"[" * 100_000])
def test_what_is_no_json_cannot_be_read(body):
    with pytest.raises(UnreadableReply):
        told_by(body)


def test_json_of_another_shape_tells_nothing():
    assert told_by(b"[]") == Told("", Usage(), "missing")


@pytest.mark.parametrize("model", ["gpt-4o-mini-2024-07-18", "meta-llama/Llama-3.1:8b", "ft:gpt-4o:acme::x1", "a@b"])
def test_a_name_of_the_usual_form_may_be_a_label(model):
    assert told(model=model).label == model


@pytest.mark.parametrize("model", ["", "a b", "x" * 101, "a\nb", "{}", "caf\u00e9", None, 7])
def test_any_other_name_is_counted_as_other(model):
    assert told(model=model).label == "other"
