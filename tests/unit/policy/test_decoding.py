"""The decoders one by one: what they make, and that it leads back to where it came from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axonflow_policy.decoding import FENCE, Decoded, glued, joined, payloads, tagged, unescaped
from hypothesis import given
from hypothesis import strategies as st

DECODERS: list[Callable[[str], Decoded | None]] = [unescaped, glued, joined, payloads, tagged]
# fmt: off
PIECES = [
    *"a1 -._\n+'", "%41", "%C3%A9", "&#65;", "&lt;", "/**/", "\\x41", "a b c d e f g", "i-g-n-o-r-e", "\U000e0041",
    "aGVsbG8gd29ybGQgaGVsbG8=", "68656c6c6f20776f726c64206162", "''", "%25",
]
# fmt: on
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join))


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("%41%2542%252543", "ABC"),
        ("%25", "%"),
        ("%C3%A9%EF%BC%91", "é\uff11"),
        ("%C3 %zz", "%C3 %zz"),
        ("%u0041", "A"),
        ("&lt;&#65;&#x42;&amp;amp;#67;&amp;", "<ABC&"),
        ("&#99999999;", "\ufffd9;"),
        (r"\x41\u0042\u{43}\u{ffffff}", "ABC\ufffd"),
        ("1/**/or/* x */2+b", "1 or 2 b"),
    ],
)
def test_escapes_become_what_they_stand_for(text: str, made: str) -> None:
    assert unescaped(text).text == made


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a b c d e f", "abcdef"),
        ("t h i s   i s", "this is"),
        ("a-b-c d-e-f.", "abc def."),
        ("1 2 3\n4 5 6\n7 8 9", "123 456 789"),
        ("a b c d e", "a b c d e"),
        ("see a, b and c", "see a, b and c"),
        ("x_y_z_1_2_3", "xyz123"),
    ],
)
def test_single_characters_are_joined(text: str, made: str) -> None:
    assert joined(text).text == made


def test_words_are_glued_where_a_comment_or_empty_quotes_cut_them() -> None:
    assert glued("UN/**/ION c''a\"\"t a /**/ b ''x").text == "UNION cat a /**/ b ''x"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("x aGVsbG8gd29ybGQh y", "hello world!"),
        ("aGVsbG8gd29ybGQh aGVsbG8gd29ybGQh", "hello world!\n\0\nhello world!"),
        ("68656c6c6f20776f726c6421", "hello world!"),
        ("68:65:6c:6c:6f:20:77:6f:72:6c:64:21", "hello world!"),
        ("aABlAGwAbABvACAAdwBvAHIAbABkAA==", "hello world"),
    ],
)
def test_payloads_are_decoded_with_fences_between(text: str, made: str) -> None:
    decoded = payloads(text)
    assert decoded is not None
    assert decoded.text == f"\n{made}\n"


@pytest.mark.parametrize(("end", "more"), [("Q0ND", "CCC"), ("Q0M= end", "CC"), ("", ""), ("Thanks,\nJane", "")])
def test_a_payload_in_lines_is_one(end: str, more: str) -> None:
    decoded = payloads("QUFB" * 16 + "\r\n" + "QkJC" * 16 + "\r\n" + end)
    assert decoded is not None
    assert decoded.text == "\n" + "A" * 48 + "B" * 48 + more + "\n"


@pytest.mark.parametrize(
    "text", ["internationalization", "a" * 40, "AAAAAAAAAAAAAAAAAAAAAAAA", "3f786850e387550fdab836ed", ""]
)
def test_what_decodes_to_no_text_is_no_payload(text: str) -> None:
    assert payloads(text) is None


def test_tag_characters_are_read_as_what_they_tag() -> None:
    assert tagged("a\U000e0068\U000e0069b").text == "a\nhib"


@given(TEXTS)
def test_every_place_of_what_is_made_leads_into_the_text(text: str) -> None:
    for decode in DECODERS:
        decoded = decode(text)
        if decoded is None or not decoded.text:
            continue
        for start in range(len(decoded.text)):
            if decoded.text[start] == FENCE:
                continue  # stands for whatever is between payloads, which may be nothing
            ((begins, ends),) = decoded.alignment.back([(start, start + 1)])
            assert 0 <= begins < ends <= len(text)


@given(st.text(alphabet=st.characters(exclude_characters="%&\\/+'\"`", max_codepoint=0x7F)))
def test_a_text_without_disguise_is_left_as_it_is(text: str) -> None:
    assert unescaped(text).text == text
    assert glued(text).text == text
    assert tagged(text).text == text
