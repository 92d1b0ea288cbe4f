"""A match as validators see it: the value and its neighbourhood."""

from __future__ import annotations

from typing import NamedTuple


class Found(NamedTuple):
    """A candidate in the folded text, which has one character a byte, so that offsets of both agree."""

    text: str
    start: int
    end: int

    @property
    def value(self) -> str:
        """What the pattern found."""
        return self.text[self.start : self.end]

    def before(self, size: int) -> str:
        """At most ``size`` characters that precede the value."""
        return self.text[max(0, self.start - size) : self.start]

    def after(self, size: int) -> str:
        """At most ``size`` characters that follow the value."""
        return self.text[self.end : self.end + size]
