"""Folding and its way back: what is found in the folded bytes is cut out of the original text exactly."""

# ruff: noqa: RUF001 # full-width text is what these tests are about

from __future__ import annotations

import pytest
from axonflow_policy import folding
from axonflow_policy.folding import bare, fold, unbare, unfold
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("plain", b"plain"),
        ("１２３", b"123"),
        ("ﬁne", b"fine"),
        ("a\u00a0b\u2003c", b"a b c"),
        ("123\u201345", b"123-45"),
        ("\u2019 or \u2018a\u2019=\u2018a", b"' or 'a'='a"),
        ("𝟙𝟚", b"12"),
        ("é", "é".encode()),
    ],
)
def test_compatibility_characters_are_folded(text: str, folded: bytes) -> None:
    assert fold(text) == folded


def test_a_span_that_cuts_a_character_takes_all_of_it() -> None:
    text = "x㎏y"  # folds to "xkgy"
    assert unfold(text, [(1, 2)]) == [(1, 2)]
    assert unfold(text, [(2, 4)]) == [(1, 3)]


@given(
    st.text(max_size=40),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10),
    st.text(max_size=40),
)
def test_a_folded_span_leads_back_to_the_original_text(before: str, middle: str, after: str) -> None:
    start = len(fold(before))
    end = start + len(fold(middle))
    assert unfold(before + middle + after, [(start, end)]) == [(len(before), len(before) + len(middle))]


@given(st.text())
def test_folding_never_fails_and_is_done_in_one_go(text: str) -> None:
    assert b"".join(fold(character) for character in text) == fold(text)


@given(st.text(alphabet=st.characters(max_codepoint=0x7F)))
def test_a_plain_text_folds_to_itself(text: str) -> None:
    assert fold(text) == text.encode()
    assert bare(text) == text


@given(st.text())
def test_what_is_bare_stays_bare(text: str) -> None:
    assert bare(bare(text)) == bare(text)


@given(st.text(), st.data())
def test_a_span_of_the_bare_text_leads_into_the_text(text: str, data: st.DataObject) -> None:
    seen = bare(text)
    if seen:
        start = data.draw(st.integers(0, len(seen) - 1))
        ((begins, ends),) = unbare(text, [(start, start + 1)])
        assert seen[start] in bare(text[begins:ends])


def test_a_text_of_ever_new_characters_does_not_grow_the_tables() -> None:
    characters = "".join(map(chr, range(0x3400, 0x3400 + 25_000)))
    tables = (folding._TABLE, folding._BARE)
    fold(characters)
    bare(characters)
    assert all(len(table) <= 16_384 for table in tables)
    assert all(len(table._changed) < 6_000 for table in tables)


def test_a_full_table_folds_as_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Ｓeёé①\u200b\u2019\U000e0061ж漢한"
    expected = (fold(text), bare(text))
    monkeypatch.setattr(folding, "_MOST_KEPT", 2)
    for table in (folding._TABLE, folding._BARE):
        table.clear()
    assert [(fold(text), bare(text)) for _ in range(3)] == [expected] * 3
