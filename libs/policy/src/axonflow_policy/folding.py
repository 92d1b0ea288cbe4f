"""Turns a text into the bytes that the engines scan, and spans in those bytes back into spans of the text.

Compatibility characters (full-width digits, ligatures, styled letters) are folded by NFKC one character at a time, so
that every byte belongs to exactly one original character; every Unicode space becomes a plain one, typographic quotes
and dashes the typewriter's. Hidden and confusable characters are not handled here.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from itertools import accumulate

Span = tuple[int, int]


_TYPOGRAPHIC = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-"),
}


class _FoldTable(dict[int, str]):
    """Code point to folded text, filled as code points are met; bounded by the size of Unicode."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = " " if character.isspace() and code > 0x7F else unicodedata.normalize("NFKC", character)  # above ASCII
        self[code] = folded
        return folded


_TABLE = _FoldTable(_TYPOGRAPHIC)
# A lone surrogate cannot be encoded otherwise; bodies that hold one are refused before they come here.
_SURROGATES = "surrogatepass"


def fold(text: str) -> bytes:
    """The bytes to scan: UTF-8 of ``text`` with each character folded."""
    if text.isascii():
        return text.encode("ascii")
    return text.translate(_TABLE).encode("utf-8", _SURROGATES)


def unfold(text: str, spans: list[Span]) -> list[Span]:
    """Spans of ``fold(text)`` as spans of ``text``; a span that cuts through a character takes all of it."""
    if text.isascii():
        return spans
    ends = list(accumulate(len(_TABLE[ord(character)].encode("utf-8", _SURROGATES)) for character in text))
    # Character i covers bytes ends[i-1] to ends[i].
    return [(bisect_right(ends, start), bisect_left(ends, end) + 1) for start, end in spans]
