"""Undoes what hides a text from patterns, each by a pure function: text in, made text and its alignment out.

Every function reads its text once, from left to right, and what it makes is never longer than a small multiple of it:
the work is linear in the text without a limit on what is looked at, so there is no budget that padding could use up.
One level is undone; what a decoded text hides again is not promised.
"""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from axonflow_policy.alignment import Alignment
from axonflow_policy.engines import regexp

FENCE = "\0"


class Decoded(NamedTuple):
    """A text made from another, and which piece of it came from where."""

    text: str
    alignment: Alignment


class _Maker:
    """Puts a text together and keeps count; pieces are given in the order of the source."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._position = 0
        self._parts: list[str] = []
        self._alignment = Alignment()

    def replace(self, start: int, end: int, made: str) -> None:
        """Keep all up to ``start``, and put ``made`` for the source from there to ``end``."""
        self.keep(start)
        self._alignment.add(end - start, len(made))
        self._parts.append(made)
        self._position = end

    def keep(self, end: int) -> None:
        if end > self._position:
            self._parts.append(self._source[self._position : end])
            self._alignment.add(end - self._position, end - self._position)
            self._position = end

    def done(self) -> Decoded:
        self.keep(len(self._source))
        return Decoded("".join(self._parts), self._alignment)


# Escapes of escapes (``%2527``, ``&amp;#39;``) are one level with a prefix that repeats.
_ESCAPE = re.compile(
    r"%(?:25)*(?:[0-7][0-9A-Fa-f]|[C-Fc-f][0-9A-Fa-f](?:%(?:25)*[89ABab][0-9A-Fa-f]){1,3}|u[0-9A-Fa-f]{4})"
    r"|&(?:amp;)*(?:#[0-9]{1,7};?|#[xX][0-9A-Fa-f]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};)"
    r"|\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\})"
    r"|/\*[^*/]{0,64}\*/|(?<=[A-Za-z0-9])\+(?=[A-Za-z0-9])"
)
_LAST_CODE = 0x10FFFF


def unescaped(text: str) -> Decoded:
    """Entities, URL and backslash escapes as their characters; a SQL comment or a plus between words as a space."""
    maker = _Maker(text)
    for found in _ESCAPE.finditer(text):
        maker.replace(found.start(), found.end(), _character(found[0]))
    return maker.done()


@lru_cache(maxsize=4096)
def _character(escape: str) -> str:
    match escape[0]:
        case "/" | "+":
            return " "
        case "&":
            return html.unescape("&" + re.sub(r"^&(?:amp;(?=.))*", "", escape))
        case "\\":
            return _of_code(int(escape[2:].strip("{}"), 16))
        case _:
            digits = re.sub(r"%(?:25)*(?=[0-9A-Fa-f]{2}|u)", "", escape)
            return (
                _of_code(int(digits[1:], 16)) if digits[0] == "u" else bytes.fromhex(digits).decode("utf-8", "replace")
            )


def _of_code(code: int) -> str:
    return chr(code) if code <= _LAST_CODE else "\ufffd"


_GLUE = re.compile(r"(?<=[A-Za-z0-9])(?:/\*[^*/]{0,64}\*/|''|\"\"|``)(?=[A-Za-z0-9])")


def glued(text: str) -> Decoded:
    """Words that a comment or an empty pair of quotes cuts in two, put together: ``UN/**/ION``, ``c""at``."""
    maker = _Maker(text)
    for found in _GLUE.finditer(text):
        maker.replace(found.start(), found.end(), "")
    return maker.done()


# Six or more single characters, each alone between separators: any of them in whitespace, letters and digits in marks.
# Possessive, since what could be tried again costs a hundred bytes a character and is never needed.
_SPACED = re.compile(
    r"(?P<blanks>(?<!\S)\S(?:[ \t\r\n]{1,8}\S(?!\S)){5,}+)|(?<![^\W_])[^\W_](?:[ ._\-]{1,3}[^\W_](?![^\W_])){5,}+"
)
_BLANKS, _MARKS = re.compile(r"[ \t\r\n]+"), re.compile(r"[ ._\-]+")


def joined(text: str) -> Decoded:
    """Runs of single characters without what separates them; a separator unlike the run's first is a space."""
    maker = _Maker(text)
    for run in _SPACED.finditer(text):
        separators = _BLANKS if run["blanks"] else _MARKS
        first = ""
        for gap in separators.finditer(text, run.start() + 1, run.end()):
            first = first or gap[0]
            maker.replace(gap.start(), gap.end(), "" if gap[0] == first else " ")
    return maker.done()


# Base64 in lines as MIME breaks it, base64 or hexadecimal in one piece, hexadecimal in pairs. Every long word of a
# program is a candidate: re2 finds them in a fifth of the time that `re` takes.
_PAYLOAD = regexp(
    r"(?:[A-Za-z0-9+/]{60,76}\r?\n)+(?:[A-Za-z0-9+/]{1,76}={0,2})?"
    r"|[A-Za-z0-9][A-Za-z0-9+/_-]{13,}={0,2}"
    r"|[0-9A-Fa-f]{2}(?:[ :][0-9A-Fa-f]{2}){9,}"
)
_HEXADECIMAL = re.compile(r"(?:0[xX])?((?:[0-9A-Fa-f]{2}[ :]?){10,}+)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TO_STANDARD = str.maketrans("-_", "+/", "=\r\n")


def payloads(text: str) -> Decoded | None:
    """What base64 and hexadecimal stand for, on lines of their own, fences between; None if nothing decodes to text."""
    maker = _Maker(text)
    position = 0
    for start, token in _candidates(text):
        made = _payload(token)
        if made is None and "\n" in token:  # the line behind the last full one may be a word of the text around
            made = _payload(token.rpartition("\n")[0])
        if made is not None:
            # None before the first and behind the last, so that one payload alone begins and ends its reading.
            maker.replace(position, start, FENCE if position else "")
            position = start + len(token)
            maker.replace(start, position, f"\n{made}\n")
    if not position:
        return None
    maker.replace(position, len(text), "")
    return maker.done()


def _candidates(text: str) -> Iterator[tuple[int, str]]:
    """What may be a payload, and where it begins in ``text``; all of it is ASCII."""
    data = text.encode("utf-8", "surrogatepass")
    wider = len(data) != len(text)
    characters = bytes_read = 0
    for found in _PAYLOAD.finditer(data):
        start = found.start()
        if wider:
            characters += len(data[bytes_read:start].decode("utf-8", "surrogatepass"))
            bytes_read = start
        yield (characters if wider else start), found[0].decode("ascii")


def _payload(token: str) -> str | None:
    hexadecimal = _HEXADECIMAL.fullmatch(token)
    made = None if hexadecimal is None else _text(bytes.fromhex(hexadecimal[1].replace(":", " ")))
    if made is not None:
        return made
    body = token.translate(_TO_STANDARD)
    if len(body.rstrip("=")) % 4 == 1:
        return None
    try:
        return _text(binascii.a2b_base64(body + "=" * (-len(body) % 4)))
    except binascii.Error:
        return None


def _text(raw: bytes) -> str | None:
    if raw[1::2].count(0) == len(raw) // 2:  # UTF-16 of ASCII, as PowerShell takes it
        raw = raw[::2]
    try:
        made = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(made) else made


# What no string ends is one to the end of the text: a search for its end from each quote would be quadratic.
_JSON_STRING = re.compile(r'"((?:[^"\\]|\\.)*+)(?:"(\s*:)?|\\?\Z)', re.DOTALL)
_JSON_ESCAPE = re.compile(r"(?:\\u[0-9A-Fa-f]{4})++|\\.", re.DOTALL)
_JSON_CHARACTERS = MappingProxyType({"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"})


def values(text: str) -> Decoded | None:
    """The strings of JSON that are no names, unescaped, on lines of their own with fences between; None without any."""
    maker = _Maker(text)
    position = 0
    for found in _JSON_STRING.finditer(text):
        start, end = found.span(1)
        if found[2] is not None or start == end:
            continue
        maker.replace(position, start, f"\n{FENCE}\n" if position else "")
        for escape in _JSON_ESCAPE.finditer(text, start, end):
            maker.replace(escape.start(), escape.end(), _json_character(escape[0]))
        maker.keep(end)
        position = end
    if not position:
        return None
    maker.replace(position, len(text), "\n")
    return maker.done()


# As programs without whole numbers write one: ``5555555555554444.0``, ``5.555555555554444e15``.
_FRACTION = re.compile(r"(?<![\w.+-])\d{1,40}(?:\.\d{1,40}(?:[eE]\+?\d{1,2})?|[eE]\+?\d{1,2})(?![\w.])")
_LEAST_NUMBER, _MOST_NUMBER = 10**8, 10**40


def whole_numbers(text: str) -> Decoded | None:
    """Long numbers of JSON that are whole, without point and exponent; None where none has either."""
    maker = _Maker(text)
    for found in _FRACTION.finditer(text):
        value = Decimal(found[0])
        if _LEAST_NUMBER <= value < _MOST_NUMBER and value == value.to_integral_value():
            maker.replace(found.start(), found.end(), str(int(value)))
    made = maker.done()
    return None if made.text == text else made


def _json_character(escape: str) -> str:
    if escape[1] == "u" and len(escape) > len("\\u"):
        return bytes.fromhex(escape.replace("\\u", "")).decode("utf-16-be", "surrogatepass")
    return _JSON_CHARACTERS.get(escape[1], escape[1])


_TAGS = re.compile("[\U000e0000-\U000e007f]+")
_TAG_OFFSET = 0xE0000


def tagged(text: str) -> Decoded:
    """Invisible tag characters as the ASCII characters they stand for, each run on a line of its own."""
    maker = _Maker(text)
    for run in _TAGS.finditer(text):
        for place in range(run.start(), run.end()):
            made = chr(ord(text[place]) - _TAG_OFFSET)
            maker.replace(place, place + 1, f"\n{made}" if place == run.start() else made)
    return maker.done()
