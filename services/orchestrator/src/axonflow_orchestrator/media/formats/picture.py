"""What reading a file gives: its measure, and the same picture written anew from those parts alone that draw it."""

from __future__ import annotations

from typing import NamedTuple

LONGEST_SIDE = 8192
# An animation may take as much room as four pictures of the greatest size.
MOST_PIXELS = 4 * LONGEST_SIDE * LONGEST_SIDE
MOST_PARTS = 65_536


class NotAPicture(ValueError):
    """The file cannot be taken; the message completes "media[0] …" and quotes nothing of it."""


class Picture(NamedTuple):
    """A file that was read to its end.

    Attributes:
        mime_type: as its bytes prove it.
        width: pixels.
        height: pixels.
        clean: the picture without metadata, and without what followed its end.
        trailing_bytes: how many bytes followed its end.
    """

    mime_type: str
    width: int
    height: int
    clean: bytes
    trailing_bytes: int


def check_size(width: int, height: int) -> None:
    """Refuse a picture without area, or one too large to be unpacked.

    Raises:
        NotAPicture: saying so.
    """
    if not width or not height:
        raise NotAPicture("has a width or height of zero")
    if width > LONGEST_SIDE or height > LONGEST_SIDE:
        raise NotAPicture(f"is {width} by {height} pixels: at most {LONGEST_SIDE} a side are taken")


def check_parts(count: int) -> None:
    """Refuse a file of more parts than any camera or tool writes.

    Raises:
        NotAPicture: saying so.
    """
    if count > MOST_PARTS:
        raise NotAPicture(f"has more than {MOST_PARTS} parts")


class Animation:
    """Adds up frames, which are unpacked one beside the other."""

    def __init__(self) -> None:
        self._pixels = 0
        self.frames = 0

    def add(self, width: int, height: int) -> None:
        """One more frame.

        Raises:
            NotAPicture: it is too large, or all together are.
        """
        check_size(width, height)
        self.frames += 1
        self._pixels += width * height
        if self._pixels > MOST_PIXELS:
            raise NotAPicture("has frames of too many pixels together")


class Cursor:
    """Reads a file forwards and never behind its end."""

    def __init__(self, data: bytes | memoryview, at: int = 0) -> None:
        self.data = memoryview(data)
        self.at = at

    @property
    def left(self) -> int:
        """Bytes that follow."""
        return len(self.data) - self.at

    def take(self, count: int) -> memoryview:
        """The next ``count`` bytes.

        Raises:
            NotAPicture: there are fewer.
        """
        if count > self.left:
            raise NotAPicture("is cut off")
        taken = self.data[self.at : self.at + count]
        self.at += count
        return taken

    def number(self, size: int, order: str = "big") -> int:
        """The next ``size`` bytes as a number.

        Raises:
            NotAPicture: there are fewer.
        """
        return int.from_bytes(self.take(size), "little" if order == "little" else "big")
