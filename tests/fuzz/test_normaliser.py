"""Readings of any text: never an exception, ways back that stay inside the text, work that stays in proportion."""

# ruff: noqa: RUF001 # look-alikes are what these texts hold

from __future__ import annotations

import base64

from axonflow_policy.views import readings, values
from hypothesis import given
from hypothesis import strategies as st

from fuzz.budget import budget

PIECES = st.sampled_from(
    [
        "%", "%2", "%25", "%41", "%c3%a9", "%u0041", "&", "&#", "&#97;", "&#x1F600;", "&#99999999;", "&amp;#39;", "&lt",
        "&CounterClockwiseContourIntegral;", "\\x41", "\\u0041", "\\u{110000}", "\\ud800", "/*", "*/", "/**/", "''",
        '""', "``", "+", "a b c d e f ", "a.b-c_d e", "UN/**/ION", "\x00", "\n", "\r\n", " ", "\u200b", "\u202e",
        "\U000e0041", "\U000e0000", "\ufdfa", "ﬃ", "㎏", "ａ", "Ⅷ", "\u0301", "\ud800", "\udfff", "🇦", "🅰", "İ", "ß",
        "QUJDREVGR0hJSktMTU5PUA==", "414243444546474849 4a4b", "41 42 43 44 45 46 47 48 49 4a 4b", "0x" + "41" * 12,
    ]
)  # fmt: skip
ENCODED = st.text(max_size=40).map(lambda text: base64.b64encode(text.encode("utf-8", "replace")).decode())
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=6), ENCODED), max_size=14).map("".join)
# The longest that a single character becomes is 18 characters of 2 bytes (U+FDFA).
MOST_BYTES_A_CHARACTER = 40


@budget(300)
@given(TEXTS, st.data())
def test_a_place_in_any_reading_leads_to_a_place_in_the_text(text: str, data: st.DataObject) -> None:
    for view in readings(text):
        if not view.data:
            continue
        start = data.draw(st.integers(0, len(view.data) - 1))
        end = data.draw(st.integers(start + 1, len(view.data)))
        ((begins, ends),) = view.back([(start, end)])
        assert 0 <= begins <= ends <= len(text)
        whole = view.back([(0, len(view.data))])[0]
        assert whole[0] <= begins <= ends <= whole[1]


@budget(200)
@given(st.lists(TEXTS | st.sampled_from(['"', '\\"', "\\", '":', "\\u0041", "\\ud800"]), max_size=8).map("".join))
def test_every_byte_of_a_value_leads_into_the_arguments(text: str) -> None:
    view = values(text)
    spans = [(start, start + 1) for start in range(len(view.data)) if view.data[start] not in b"\0\n"] if view else []
    assert all(0 <= begins < ends <= len(text) for begins, ends in (view.back(spans) if view else []))


@budget(300)
@given(TEXTS)
def test_readings_are_few_and_no_longer_than_the_text_allows(text: str) -> None:
    made = list(readings(text))
    assert 1 <= len(made) <= 7
    assert all(len(view.data) <= MOST_BYTES_A_CHARACTER * len(text) for view in made)
    assert made[0].data == next(readings(text)).data


@budget(200)
@given(TEXTS, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=6))
def test_several_spans_lead_back_as_each_does_alone(text: str, wanted: list[tuple[int, int]]) -> None:
    for view in readings(text):
        spans = [(start, start + size) for start, size in wanted if start + size <= len(view.data)]
        assert list(view.back(spans)) == [view.back([span])[0] for span in spans]
