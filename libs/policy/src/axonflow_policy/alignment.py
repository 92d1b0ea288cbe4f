"""Leads spans of a text that was made from another back to that other text."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate

Span = tuple[int, int]


class Alignment:
    """Lengths of the pieces of a source and of what was made of each, in order.

    Pieces of equal length correspond place by place; of any other, a span that touches it takes the whole piece.
    Eight bytes a piece, so that a body of nothing but escapes stays cheap to hold.
    """

    __slots__ = ("_made", "_source")

    def __init__(self) -> None:
        self._source = array("I")
        self._made = array("I")

    def add(self, source: int, made: int) -> None:
        """Append a piece of ``source`` characters that became ``made`` characters (or bytes)."""
        self._source.append(source)
        self._made.append(made)

    def back(self, spans: list[Span]) -> list[Span]:
        """Spans of what was made, none empty, as spans of the source."""
        made_ends = array("I", accumulate(self._made))
        source_ends = array("I", accumulate(self._source))
        found: list[Span] = []
        for start, end in spans:
            first, last = bisect_right(made_ends, start), bisect_left(made_ends, end)
            begins = source_ends[first] - self._source[first]
            if self._source[first] == self._made[first]:
                begins = source_ends[first] - (made_ends[first] - start)
            ends = source_ends[last]
            if self._source[last] == self._made[last]:
                ends -= made_ends[last] - end
            found.append((begins, ends))
        return found
