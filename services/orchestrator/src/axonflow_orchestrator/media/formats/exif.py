"""EXIF (CIPA DC-008): texts, GPS position and orientation from a TIFF directory, however it is wired."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

MOST_DIRECTORIES = 32
MOST_ENTRIES = 512
_ORIENTATION, _COMMENT = 0x0112, 0x9286
_DIRECTORIES = frozenset({0x8769, 0x8825, 0xA005})  # Exif, GPS, interoperability
_GPS, _LATITUDE, _LONGITUDE = 0x8825, 0x0002, 0x0004
_WINDOWS_TEXTS = range(0x9C9B, 0x9CA0)
_OTHER_METADATA = {0x02BC: "xmp", 0x83BB: "iptc", 0x8649: "resources"}
_ASCII, _SHORT, _UTF8 = 2, 3, 129
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_CHARSET = 8

Order = Literal["little", "big"]
Found = tuple[str, bytes]


class Entry(NamedTuple):
    """One value of a directory.

    Attributes:
        directory: the tag that led to it; 0 for the first ones.
    """

    directory: int
    tag: int
    kind: int
    value: bytes


class Tiff:
    """A block of EXIF; whatever does not lead anywhere is passed over."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.order: Order = "little" if data[:2] == b"II" else "big"
        self._readable = data[:4] in {b"II*\0", b"MM\0*"}

    def entries(self) -> Iterator[Entry]:
        """All values of all directories; each directory once, as offsets may lead in circles."""
        waiting = [(0, self.number(self._data[4:8]))] if self._readable else []
        seen: set[int] = set()
        while waiting and len(seen) < MOST_DIRECTORIES:
            directory, at = waiting.pop(0)
            if at in seen or not 8 <= at <= len(self._data) - 2:
                continue
            seen.add(at)
            count = min(self.number(self._data[at : at + 2]), MOST_ENTRIES)
            for index in range(count):
                entry = self._entry(directory, at + 2 + 12 * index)
                if entry is None:
                    continue
                if entry.tag in _DIRECTORIES:
                    waiting.append((entry.tag, self.number(entry.value[:4])))
                yield entry
            after = at + 2 + 12 * count
            waiting.append((directory, self.number(self._data[after : after + 4])))

    def number(self, raw: bytes) -> int:
        """A number in the block's order of bytes."""
        return int.from_bytes(raw, self.order)

    def _entry(self, directory: int, at: int) -> Entry | None:
        raw = self._data[at : at + 12]
        if len(raw) < 12:
            return None
        tag, kind, count = self.number(raw[0:2]), self.number(raw[2:4]), self.number(raw[4:8])
        size = _SIZES.get(kind, 0) * count
        if size <= 4:
            return Entry(directory, tag, kind, raw[8 : 8 + size])
        start = self.number(raw[8:12])
        return Entry(directory, tag, kind, self._data[start : start + size])


class Exif(NamedTuple):
    """What a block says.

    Attributes:
        texts: bytes in UTF-8, UTF-16 with a mark, or what was meant as such.
        others: metadata of other kinds within: ``xmp``, ``iptc`` or ``resources``, and its bytes.
        has_position: it says where the picture was taken.
        orientation: 1 to 8; 0 where it does not say.
    """

    texts: tuple[bytes, ...]
    others: tuple[Found, ...]
    has_position: bool
    orientation: int


def read_exif(data: bytes, most_bytes: int) -> Exif:
    """What ``data`` says, up to ``most_bytes`` and the value that goes beyond them."""
    texts: list[bytes] = []
    others: list[Found] = []
    has_position, orientation, taken = False, 0, 0
    tiff = Tiff(data)
    for entry in tiff.entries():
        if entry.directory == _GPS and entry.tag in {_LATITUDE, _LONGITUDE} and any(entry.value):
            has_position = True
        elif entry.tag == _ORIENTATION and entry.kind == _SHORT and not entry.directory:
            orientation = orientation or tiff.number(entry.value[:2])
        elif entry.tag in _OTHER_METADATA and not entry.directory:
            others.append((_OTHER_METADATA[entry.tag], entry.value))
            taken += len(entry.value)
        elif text := _text_of(entry, tiff.order):
            texts.append(text)
            taken += len(text)
        if taken > most_bytes:
            break
    return Exif(tuple(texts), tuple(others), has_position, orientation if 1 <= orientation <= 8 else 0)


def _text_of(entry: Entry, order: Order) -> bytes:
    wide = b"\xff\xfe" if order == "little" else b"\xfe\xff"
    if entry.kind in {_ASCII, _UTF8}:
        return entry.value
    if entry.tag in _WINDOWS_TEXTS:
        return b"\xff\xfe" + entry.value
    if entry.tag == _COMMENT:
        written = entry.value[_CHARSET:]
        return wide + written if entry.value.startswith(b"UNICODE") else written
    return b""


def orientation_block(orientation: int) -> bytes:
    """A block that says which side is up, and nothing else."""
    entry = _ORIENTATION.to_bytes(2) + _SHORT.to_bytes(2) + (1).to_bytes(4) + orientation.to_bytes(2) + b"\0\0"
    return b"MM\0*" + (8).to_bytes(4) + (1).to_bytes(2) + entry + b"\0\0\0\0"
