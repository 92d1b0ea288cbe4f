"""Turns a text into the bytes that the engines scan, and spans in those bytes back into spans of the text.

Compatibility characters (full-width digits, ligatures, styled letters) are folded by NFKC one character at a time, so
that every byte belongs to exactly one original character; every Unicode space becomes a plain one, typographic quotes
and dashes the typewriter's. `bare` goes further, for a second look: it drops what no reader sees and turns characters
that look like ASCII into what they look like.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Mapping

from axonflow_policy.alignment import Alignment, Span
from axonflow_policy.lookalikes import ASCII_OF, is_hidden, plain_letter

_TYPOGRAPHIC = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-"),
}
# Stretches that fold to themselves are one piece of an alignment, every other character is one of its own.
_STRETCH = re.compile(r"[\x00-\x7f]+|[^\x00-\x7f]")
# A lone surrogate cannot be encoded otherwise; bodies that hold one are refused before they come here.
_SURROGATES = "surrogatepass"


# Of characters that fold to themselves; those that do not are some twenty thousand in all of Unicode.
_MOST_KEPT = 16_384
_CODES = 0x110000
# Of so many characters at most one is not ASCII in a text that is taken for mostly ASCII.
_FEW = 16


class _Table(dict[int, str]):
    """Code point to folded text, filled as code points are met, in bounded memory whatever is met.

    What folds to something else is kept for good. Of the rest (all of Unicode in a hostile text) a set of bits knows
    that they stay as they are; the table itself keeps them only until it is full, and then begins anew.
    """

    def __init__(self, make: Callable[[int], str]) -> None:
        super().__init__()
        self._make = make
        self._changed: dict[int, str] = {}
        self._same = bytearray(_CODES // 8)

    def __missing__(self, code: int) -> str:
        folded = self._changed.get(code)
        if folded is None:
            folded = self._learnt(code)
        if len(self) >= _MOST_KEPT:
            self.clear()
        self[code] = folded
        return folded

    def _learnt(self, code: int) -> str:
        place, bit = code >> 3, 1 << (code & 7)
        if self._same[place] & bit:
            return chr(code)
        folded = self._make(code)
        if folded == chr(code):
            self._same[place] |= bit  # two threads at once may forget one of two bits: it is learnt again
        else:
            self._changed[code] = folded
        return folded


def _folded(code: int) -> str:
    character = chr(code)
    if code in _TYPOGRAPHIC:
        return _TYPOGRAPHIC[code]
    return " " if character.isspace() and code > 0x7F else unicodedata.normalize("NFKC", character)  # above ASCII


def _seen(code: int) -> str:
    character = chr(code)
    if code <= 0x7F:  # ASCII
        return character
    if is_hidden(character):
        return ""
    folded = (one for one in _TABLE[code] if not is_hidden(one))
    return "".join(ASCII_OF.get(one) or plain_letter(one) for one in folded)


_TABLE = _Table(_folded)
_BARE = _Table(_seen)


def _on_request(name: str, table: _Table) -> str:
    """Make ``text.encode("ascii", name)`` ask ``table`` about what is not ASCII.

    It copies ASCII at the speed of memory and is the only such way that Python has: `str.translate` looks up every
    character once a single one is not ASCII (10 KB with one such character: 290 µs against 10).
    """

    def mapped(error: UnicodeError) -> tuple[bytes, int]:
        if not isinstance(error, UnicodeEncodeError):
            raise error
        run = error.object[error.start : error.end]
        return run.translate(table).encode("utf-8", _SURROGATES), error.end

    codecs.register_error(name, mapped)
    return name


_FOLDING, _BARING = _on_request("axonflow.fold", _TABLE), _on_request("axonflow.bare", _BARE)


def _mapped(text: str, table: _Table, name: str) -> bytes:
    """UTF-8 of ``text`` mapped by ``table``; by whole runs where most of it is not ASCII, which is quicker then."""
    size = len(text.encode("utf-8", _SURROGATES))
    if size - len(text) > len(text) // _FEW:
        return text.translate(table).encode("utf-8", _SURROGATES)
    return text.encode("ascii", name)


def fold(text: str) -> bytes:
    """The bytes to scan: UTF-8 of ``text`` with each character folded."""
    if text.isascii():
        return text.encode("ascii")
    return _mapped(text, _TABLE, _FOLDING)


def unfold(text: str, spans: list[Span]) -> list[Span]:
    """Spans of ``fold(text)`` as spans of ``text``; a span that cuts through a character takes all of it."""
    return spans if text.isascii() else _alignment(text, _TABLE, encoded=True).back(spans)


def bare(text: str) -> str:
    """``text`` folded, without hidden characters, and with look-alikes as the ASCII characters they look like."""
    return text if text.isascii() else _mapped(text, _BARE, _BARING).decode("utf-8", _SURROGATES)


def unbare(text: str, spans: list[Span]) -> list[Span]:
    """Spans of ``bare(text)`` as spans of ``text``."""
    return spans if text.isascii() else _alignment(text, _BARE, encoded=False).back(spans)


def encode(text: str) -> bytes:
    """UTF-8 of a text that is folded already."""
    return text.encode("utf-8", _SURROGATES)


def decode_spans(text: str, spans: list[Span]) -> list[Span]:
    """Spans of ``encode(text)`` as spans of ``text``."""
    return spans if text.isascii() else _alignment(text, _Itself(), encoded=True).back(spans)


class _Itself(dict[int, str]):
    def __missing__(self, code: int) -> str:
        return chr(code)


def _alignment(text: str, table: Mapping[int, str], *, encoded: bool) -> Alignment:
    alignment = Alignment()
    for found in _STRETCH.finditer(text):
        piece = found[0]
        if piece.isascii():
            alignment.add(len(piece), len(piece))
        else:
            folded = table[ord(piece)]
            alignment.add(1, len(encode(folded)) if encoded else len(folded))
    return alignment
