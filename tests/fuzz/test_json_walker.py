"""Any body at all: a request that was understood, or the documented refusal; every text of it is judged."""

from __future__ import annotations

import json
from collections.abc import Callable

from axonflow_agent.openai.request import ChatRequest, read_chat_request
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Phase
from axonflow_policy import PolicySet
from axonflow_web import strict_json
from hypothesis import given
from hypothesis import strategies as st

from fuzz.budget import budget

TOKENS = st.sampled_from(
    [
        b"{", b"}", b"[", b"]", b",", b":", b'"', b'""', b'"a"', b'"\\u0061"', b'"\\ud800"', b'"\\', b"\\", b"null",
        b"true", b"1", b"-", b"1e999", b"1" * 320, b"0.1e-400", b"NaN", b"Infinity", b" ", b"\n", b"\x00", b"\xff",
        b"\xef\xbb\xbf", b"\xc0\x80", b'"model":"m"', b'"messages":[', b'{"role":"user","content":"x"}', b"[" * 101,
        b'{"a":' * 60, b'"stream":false',
    ]
)  # fmt: skip
BYTES = st.one_of(st.binary(max_size=60), st.lists(TOKENS, max_size=16).map(b"".join))
STRINGS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10) | st.sampled_from(
    ["role", "content", "arguments", "type", "text", "user", "image_url", "url", "data", '{"a":"\\u0031"}', "\\\\u0031"]
)
SCALARS = st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
TREES = st.recursive(
    SCALARS | STRINGS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4)
)
BODIES = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": st.lists(st.dictionaries(STRINGS, TREES, max_size=4), min_size=1, max_size=3)},
    optional={"tools": TREES, "user": TREES, "stream": st.sampled_from([False, None]), "metadata": TREES},
)


def outcome(read: Callable[[bytes], object], body: bytes) -> object:
    """What ``read`` gives, or its refusal; anything else that it raises fails the test."""
    try:
        return read(body)
    except Fault as fault:
        return fault


def is_refusal(given_back: object) -> bool:
    return isinstance(given_back, Fault) and given_back.status == 400 and given_back.message != ""


def request_of(body: dict[str, object], *, escaped: bool = True) -> ChatRequest:
    return read_chat_request(json.dumps(body, ensure_ascii=escaped).encode())


@budget(400)
@given(BYTES)
def test_bytes_of_any_kind_are_json_or_refused_with_a_fault(body: bytes) -> None:
    request = outcome(read_chat_request, body)
    assert isinstance(request, ChatRequest) or is_refusal(request)
    value = outcome(strict_json.loads, body)
    assert is_refusal(value) or value == json.loads(body)


@budget(300)
@given(body=BODIES, at=st.integers(0, 400), change=BYTES)
def test_a_damaged_request_is_read_or_refused(body: dict[str, object], at: int, change: bytes) -> None:
    whole = json.dumps(body, ensure_ascii=False).encode()
    request = outcome(read_chat_request, whole[:at] + change + whole[at + 1 :])
    assert isinstance(request, ChatRequest) or is_refusal(request)


@budget(200)
@given(body=BODIES, escaped=st.booleans())
def test_each_text_has_a_place_of_its_own_and_escapes_in_the_body_change_nothing(
    body: dict[str, object], escaped: bool
) -> None:
    request = request_of(body, escaped=escaped)
    assert request == request_of(body, escaped=not escaped)
    paths = [part.path for part in request.content.parts]
    assert len(set(paths)) == len(paths)
    assert all(part.text for part in request.content.parts)


@budget(100)
@given(body=BODIES)
def test_whatever_was_collected_can_be_judged(catalogue_set: PolicySet, body: dict[str, object]) -> None:
    request = request_of(body)
    evaluation = catalogue_set.evaluate(request.content, Phase.REQUEST)
    assert evaluation.failure == ""
    texts = {part.path: part.text for part in request.content.parts}
    for match in evaluation.matches:
        assert all(0 <= start < end <= len(texts[match.path]) for start, end in match.spans)
