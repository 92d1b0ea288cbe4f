"""The readings of a text: the text itself first, others only where there is something to undo."""

from __future__ import annotations

import pytest
from axonflow_policy.folding import fold
from axonflow_policy.views import readings
from hypothesis import given
from hypothesis import strategies as st

ORDINARY = [
    "",
    "Please write a report for the customer.",
    "x = a[0] + 5 % 2 # comment & more",
    "It's 10 o'clock - or half past nine.",
    "Größe und Länge",
    "日本語の文章です",
    "AT&T, R&D and 100% of it",
    "état, naïve, señor",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_has_one_reading(text: str) -> None:
    assert [view.data for view in readings(text)] == [fold(text)]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("ign\u043ere", b"ignore"),
        ("1\u200b2\u00ad3", b"123"),
        ("\u0661\u0662", b"12"),
        ("\u24d8\U0001f176\u0274", b"iGn"),
        ("\U0001f1ee\U0001f1ec", b"ig"),
        ("cafe\u0301", b"cafe"),
        ("%27", b"'"),
        ("%EF%BC%91", b"1"),
        ("a b c d e f", b"abcdef"),
        ("c''at", b"cat"),
        ("aGVsbG8gd29ybGQh", b"hello world!"),
    ],
)
def test_a_disguise_gives_a_reading_without_it(text: str, other: bytes) -> None:
    first, *others = readings(text)
    assert first.data == fold(text)
    assert [view.data.strip(b"\0\n") for view in others] == [other]


@given(st.lists(st.one_of(st.text(max_size=6), st.sampled_from(["a b c d e f ", "%41", "\u200b", "\u0430", "&lt;"]))))
def test_every_byte_of_a_reading_leads_into_the_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    for view in readings(text):
        for start in range(len(view.data)):
            if view.fenced and view.data[start] == 0:
                continue
            ((begins, ends),) = view.back([(start, start + 1)])
            assert 0 <= begins < ends <= len(text)


def test_payloads_alone_are_fenced() -> None:
    fenced = [view.fenced for view in readings("a b c d e f %41 aGVsbG8gd29ybGQh")]
    assert fenced == [False, False, False, True]
