"""The readings of one text that policies judge: as it stands, without disguise, and decoded one level deep.

Every text is scanned as it stands; a finding there never depends on the other readings, which can only add some. One
linear search says whether another reading is worth making, so plain text costs little more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import re2

from axonflow_policy import decoding
from axonflow_policy.alignment import Span
from axonflow_policy.decoding import Decoded
from axonflow_policy.engines import regexp
from axonflow_policy.folding import bare, decode_spans, encode, fold, unbare, unfold

# Part of every policy set's hash: a change in what is read is a change in what is judged.
READINGS_VERSION = 2

Way = Callable[[list[Span]], list[Span]]


class View(NamedTuple):
    """One reading: the bytes to scan, and the way back to spans of the part's text.

    ``fenced``: the bytes hold separate texts with NUL bytes between; what reaches over one is no finding.
    """

    data: bytes
    back: Way
    fenced: bool = False


class _Decoder(NamedTuple):
    """``gate`` must occur for ``decode`` to have work; it is cheap rather than exact."""

    gate: re2._Regexp
    decode: Callable[[str], Decoded | None]


_ESCAPES = (
    r"%[0-9A-Fa-f][0-9A-Fa-f]|%u[0-9A-Fa-f]|&#[0-9xX]|&[A-Za-z][A-Za-z0-9]{1,30};"
    r"|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f{]|/\*[^*/]{0,64}\*/"
)
_SPLIT_WORDS = r"[A-Za-z0-9](?:/\*[^*/]{0,64}\*/|''|\"\"|``)[A-Za-z0-9]"
_SINGLE_CHARACTERS = r"(?:[!-~][ \t\r\n]{1,8}){5}|(?:[ ._\-]{1,3}[A-Za-z0-9]){4}[ ._\-]"
_LONG_TOKENS = r"[A-Za-z0-9+/_\-]{14}|(?:[0-9A-Fa-f]{2}[ :]){9}"
_DECODERS = (
    _Decoder(regexp(_ESCAPES), decoding.unescaped),
    _Decoder(regexp(_SPLIT_WORDS), decoding.glued),
    _Decoder(regexp(_SINGLE_CHARACTERS), decoding.joined),
    _Decoder(regexp(_LONG_TOKENS), decoding.payloads),
)
# One automaton for all gates: 2 to 3 microseconds a kilobyte; in the policies' database they cost twice that.
_ANY_GATE = regexp(f"{_ESCAPES}|{_SPLIT_WORDS}|{_SINGLE_CHARACTERS}|{_LONG_TOKENS}")
_TAG_BYTES = (b"\xf3\xa0\x80", b"\xf3\xa0\x81")


def readings(text: str) -> Iterator[View]:
    """Every view of ``text`` that may show something, the text as it stands first."""
    data = fold(text)
    yield View(data, partial(unfold, text))
    source, plain = text, data
    if not text.isascii():
        source = bare(text)
        plain = encode(source)
        if plain != data:
            yield View(plain, lambda spans: unbare(text, decode_spans(source, spans)))
        if any(tag in data for tag in _TAG_BYTES):
            yield _view(decoding.tagged(text), list)
    if _ANY_GATE.search(plain) is None:
        return
    for gate, decode in _DECODERS:
        made = decode(source) if gate.search(plain) else None
        if made is not None and made.text != source:
            yield _view(made, partial(unbare, text), fenced=decode is decoding.payloads)


def values(text: str) -> View | None:
    """The values of JSON ``text``, each as a text of its own; None where it has no strings that are values.

    A tool takes them so: a statement that fills one has no sentence around it to excuse it.
    """
    made = decoding.values(text)
    return None if made is None else _view(made, list, fenced=True)


def whole_numbers(text: str) -> View | None:
    """JSON ``text`` with its long numbers written out; None where they are."""
    made = decoding.whole_numbers(text)
    return None if made is None else _view(made, list)


def _view(made: Decoded, outward: Way, *, fenced: bool = False) -> View:
    plain = bare(made.text)

    def back(spans: list[Span]) -> list[Span]:
        return outward(made.alignment.back(unbare(made.text, decode_spans(plain, spans))))

    return View(encode(plain), back, fenced=fenced)
