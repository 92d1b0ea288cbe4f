"""Masks inside JSON text, token by token: strings keep their quotes, a number becomes a string, all else stays.

The text is edited, not written anew: what no finding touches keeps every byte, white space and escapes included.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from axonflow_policy.masks import Edit, Mask, Piece

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|[{}]', re.DOTALL)
_UNIT = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]+", re.DOTALL
)
_NAME_END = re.compile(r"\s*:")
_DIGIT = re.compile(r"\d")
_SOMETHING = re.compile(r"[^\W_]")
# JSON in a string of JSON is looked into once.
_LEVELS = 1


def is_json(text: str) -> bool:
    """Whether ``text`` is a JSON document."""
    try:
        json.loads(text)  # as lenient as any reader: half a surrogate pair is no reason to lose the whole part
    except (ValueError, RecursionError):
        return False
    return True


def json_edits(text: str, pieces: Sequence[Piece], mask: Mask, levels: int = _LEVELS) -> list[Edit]:
    """What to change in the JSON document ``text`` so that ``pieces``, in order and apart, are hidden.

    A piece that reaches over several tokens is hidden in each. A masked name that its object has already gets a
    number, so that no member is lost. The work is linear in ``text``.
    """
    edits: list[Edit] = []
    names: list[dict[str, int]] = []
    ends = [piece.end for piece in pieces]
    for token in _TOKEN.finditer(text):
        if token[0] in "{}":
            _enter_or_leave(token[0], names)
            continue
        is_name = token[0][0] == '"' and bool(names) and _NAME_END.match(text, token.end()) is not None
        touching = list(_touching(pieces, ends, token.start(), token.end()))
        if is_name and touching and touching[0][:2] == token.span() and not _DIGIT.search(token[0]):
            touching = []  # quotes and all: a label between two numbers that are one finding
        if not touching:
            if is_name and pieces:
                names[-1].setdefault(token[0], 1)
        elif token[0][0] != '"':
            edits += _number_edits(token, touching, mask)
        else:
            changes = _string_edits(token, touching, mask, levels)
            edits += _told_apart(token, changes, names[-1]) if is_name else changes
    return edits


def quoted(text: str) -> str:
    """``text`` as it stands between the quotes of a JSON string."""
    return json.dumps(text)[1:-1]


def _enter_or_leave(bracket: str, names: list[dict[str, int]]) -> None:
    if bracket == "{":
        names.append({})
    elif names:
        names.pop()


def _touching(pieces: Sequence[Piece], ends: Sequence[int], start: int, end: int) -> Iterator[Piece]:
    for piece in pieces[bisect_right(ends, start) :]:
        if piece.start >= end:
            return
        yield Piece(max(piece.start, start), min(piece.end, end), piece.policy_id)


def _number_edits(token: re.Match[str], touching: Sequence[Piece], mask: Mask) -> list[Edit]:
    """A number of which a part is hidden becomes a string that is its mask: what is left of it says nothing."""
    first = touching[0]
    return [Edit(token.start(), token.end(), f'"{quoted(mask(first.policy_id, token[0], True))}"')]


class _Units(NamedTuple):
    """The inside of a string, cut into escapes and runs without any, and what each stands for."""

    starts: list[int]
    made: list[str]
    made_ends: list[int]
    end: int

    def decoded(self, place: int, *, is_end: bool) -> int:
        """The place in the decoded string; one within an escape is moved outwards."""
        if place >= self.end:
            return self.made_ends[-1]
        unit = max(0, bisect_right(self.starts, place) - 1)
        begins = self.made_ends[unit] - len(self.made[unit])
        offset = max(0, place - self.starts[unit])
        if self._is_plain(unit):
            return begins + offset
        return begins + (len(self.made[unit]) if is_end and offset else 0)

    def encoded(self, place: int, *, is_end: bool) -> int:
        """The place in the text of a place in the decoded string."""
        unit = (bisect_left if is_end else bisect_right)(self.made_ends, place)
        if unit >= len(self.starts):
            return self.end
        within = place - (self.made_ends[unit] - len(self.made[unit]))
        if self._is_plain(unit):
            return self.starts[unit] + within
        return self.starts[unit] if within <= 0 else self._next(unit)

    def _is_plain(self, unit: int) -> bool:
        return self._next(unit) - self.starts[unit] == len(self.made[unit])

    def _next(self, unit: int) -> int:
        return self.starts[unit + 1] if unit + 1 < len(self.starts) else self.end


def _units(token: re.Match[str]) -> _Units:
    starts: list[int] = []
    made: list[str] = []
    for unit in _UNIT.finditer(token[0], 1, len(token[0]) - 1):
        starts.append(token.start() + unit.start())
        made.append(json.loads(f'"{unit[0]}"') if unit[0][0] == "\\" else unit[0])
    return _Units(starts, made, list(accumulate(map(len, made))), token.end() - 1)


def _string_edits(token: re.Match[str], touching: Sequence[Piece], mask: Mask, levels: int) -> list[Edit]:
    units = _units(token)
    value = "".join(units.made)
    if not value:
        return []
    pieces = [
        Piece(units.decoded(piece.start, is_end=False), units.decoded(piece.end, is_end=True), piece.policy_id)
        for piece in touching
    ]
    inside = levels > 0 and value.lstrip()[:1] in ("{", "[") and is_json(value)
    edits = json_edits(value, pieces, mask, levels - 1) if inside else _text_edits(value, pieces, mask)
    return [
        Edit(units.encoded(start, is_end=False), units.encoded(end, is_end=True), quoted(made))
        for start, end, made in edits
    ]


def _text_edits(value: str, pieces: Sequence[Piece], mask: Mask) -> list[Edit]:
    return [
        Edit(start, end, mask(policy_id, value[start:end], False))
        for start, end, policy_id in pieces
        if _SOMETHING.search(value, start, end)
    ]


def _told_apart(token: re.Match[str], changes: list[Edit], taken: dict[str, int]) -> list[Edit]:
    """The edits of a name, with a number at its end where the object has that name already.

    ``taken`` knows the last number of each name: counting from one again would be quadratic in names that look alike.
    """
    if not changes:
        return changes
    name = token[0][:-1]
    for start, end, made in reversed(changes):
        name = name[: start - token.start()] + made + name[end - token.start() :]
    whole = f'{name}"'
    count = taken.get(whole, 0) + 1
    wanted = whole if count == 1 else f'{name} ({count})"'
    while wanted in taken:
        count += 1
        wanted = f'{name} ({count})"'
    taken[whole] = count
    taken.setdefault(wanted, 1)
    if count == 1:
        return changes
    last = token.end() - 1
    return [*changes, Edit(last, last, f" ({count})")]
