"""Only text that every reader understands alike is JSON here."""

from __future__ import annotations

import json
import time

import pytest
from axonflow_contracts.errors import Fault
from axonflow_web import strict_json
from hypothesis import given
from hypothesis import strategies as st

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=40,
)


def refusal(data: bytes) -> str:
    with pytest.raises(Fault) as caught:
        strict_json.check(data)
    assert caught.value.status == 400
    with pytest.raises(Fault):
        strict_json.loads(data)
    return caught.value.message


@given(values, st.booleans())
def test_what_json_writes_is_read_back(value: object, escaped: bool):
    assert strict_json.loads(json.dumps(value, ensure_ascii=escaped).encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a":1,"\\u0061":2}',
        '{"messages":[{"content":"x","content":"y"}]}',
        '[[[{"deep":{"k":{},"k":[]}}]]]',
        '{"a":"\\\\","a":"\\""}',
    ],
)
def test_a_key_that_stands_twice_is_refused_at_any_depth(text: str):
    assert "same key twice" in refusal(text.encode())


@pytest.mark.parametrize("text", ['{"a":{"k":1},"b":{"k":1}}', '[{"k":1},{"k":1}]', '{"a":":a:","b":"\\"a\\":1"}'])
def test_the_same_key_in_different_objects_is_fine(text: str):
    assert strict_json.loads(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "data", [b'"\xff"', b'{"a":"\xc0\xaf"}', b'"\xed\xa0\x80"', b'{"\xff":1}', "é".encode("latin-1"), b"\xff\xfe1\x00"]
)
def test_text_that_is_not_utf_8_is_refused(data: bytes):
    refusal(data)


@pytest.mark.parametrize(
    "text",
    ['"\\ud800"', '"\\udc00"', '"\\ud800x"', '"\\udc00\\ud800"', '{"\\ud83d":1}', '"\\uD800\\u0041"', '["\\ud83d"]'],
)
def test_a_lone_surrogate_is_refused(text: str):
    refusal(text.encode())


def test_a_pair_of_surrogates_is_one_character():
    assert strict_json.loads(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", '{"a":NaN}', "[1e999]", "[-1e999]", "1" * 5_000, "1" * 10**6]
)
def test_numbers_that_readers_take_differently_are_refused(text: str):
    refusal(text.encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b"{'a':1}",
        b"01",
        b"1 2",
        b'"a\nb"',
        b'"\0"',
        b"\xef\xbb\xbf{}",
        b"nul",
        b"{}\0",
        b'{"a"}',
    ],
)
def test_what_is_not_json_is_refused(data: bytes):
    refusal(data)


@pytest.mark.parametrize("opened", ["[", '{"a":', '[{"a":', "[[],"])
@pytest.mark.parametrize("depth", [200, 100_000])
def test_a_depth_bomb_is_refused(opened: str, depth: int):
    closed = {"[": "]", '{"a":': "}", '[{"a":': "}]", "[[],": "]"}[opened]
    refusal((opened * depth + "1" + closed * depth).encode())
    refusal((opened * depth).encode())


def test_depth_up_to_the_limit_is_read():
    text = "[" * strict_json.MAX_DEPTH + "]" * strict_json.MAX_DEPTH
    assert strict_json.loads(text.encode()) == json.loads(text)
    assert "nested deeper" in refusal(f"[{text}]".encode())


def test_brackets_inside_strings_do_not_count():
    text = json.dumps({"code": '[{"[{' * 10_000 + '\\"'})
    assert strict_json.loads(text.encode()) == json.loads(text)


def test_text_full_of_commas_and_colons_does_not_count_as_values():
    text = json.dumps({"log": "a:b,c;" * 200_000})
    assert strict_json.loads(text.encode()) == json.loads(text)


HOSTILE = {
    "keys": b"{" + b",".join(b'"k%d":1' % number for number in range(1_000_000)) + b"}",
    "numbers": b"[" + b"1," * 5_000_000 + b"1]",
    "objects": b"[" + b"{}," * 3_400_000 + b"{}]",
    "strings": b'["' + b'","' * 3_400_000 + b'"]',
    "quotes": b'"' * 10_000_000,
    "escapes": b'["' + b'\\"' * 5_000_000 + b'"]',
    "backslashes": b'["' + b"\\" * 10_000_000 + b'"]',
    "depth": b"[" * 5_000_000 + b"]" * 5_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_ten_megabytes_of_anything_cost_little_more_than_reading_them(name: str):
    data = HOSTILE[name]
    text = json.dumps({"content": "word " * 2_000_000}).encode()
    benign = _cpu_s(text)
    hostile = _cpu_s(data)
    assert hostile < 10 * benign, f"{hostile:.3f} s against {benign:.3f} s for plain text of the same size"


def _cpu_s(data: bytes) -> float:
    began = time.process_time()
    try:
        strict_json.check(data)
    except Fault as fault:
        assert fault.status == 400  # noqa: PT017 - a refusal is as good as an acceptance here
    return time.process_time() - began


@given(st.binary(max_size=200))
def test_no_bytes_cause_anything_but_a_value_or_a_fault(data: bytes):
    try:
        strict_json.loads(data)
    except Fault as fault:
        assert fault.status == 400  # noqa: PT017
