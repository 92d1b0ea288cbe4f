"""GIF files (GIF89a specification): blocks are walked, and only frames, their timing and the number of loops stay."""

from __future__ import annotations

from axonflow_orchestrator.media.formats.metadata import Metadata
from axonflow_orchestrator.media.formats.picture import Animation, Cursor, NotAPicture, Picture, check_parts, check_size

SIGNATURES = (b"GIF87a", b"GIF89a")
# Sub-blocks of 255 bytes make up the largest file that is taken in a third of these.
MOST_SUB_BLOCKS = 262_144
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_TEXT, _CONTROL, _COMMENT, _APPLICATION = 0x01, 0xF9, 0xFE, 0xFF
_LOOPS = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})
_XMP = b"XMP DataXMP"


class _SubBlocks:
    """Walks the sub-blocks of one file, and counts them all."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._count = 0

    def skip(self) -> memoryview:
        """The sub-blocks up to their end, as they stand in the file."""
        start = self._cursor.at
        while length := self._cursor.number(1):
            self._cursor.take(length)
            self._count += 1
            if self._count > MOST_SUB_BLOCKS:
                raise NotAPicture("has more GIF sub-blocks than a file of its size needs")
        return self._cursor.data[start : self._cursor.at]


def read(data: bytes, metadata: Metadata) -> Picture:
    """Read a file that begins with a signature; what it says beside the picture goes to ``metadata``.

    Raises:
        NotAPicture: it is damaged or too large.
    """
    cursor = Cursor(data, 6)
    width, height = cursor.number(2, "little"), cursor.number(2, "little")
    check_size(width, height)
    _colours(cursor, cursor.number(3, "little") & 0xFF)
    kept, blocks, animation, count = [data[: cursor.at]], _SubBlocks(cursor), Animation(), 0
    while (block := cursor.number(1)) != _TRAILER:
        count += 1
        check_parts(count)
        if block == _IMAGE:
            kept.append(_frame(cursor, blocks, animation))
        elif block == _EXTENSION:
            kept.append(_extension(cursor, blocks, metadata))
        else:
            raise NotAPicture("is damaged: there is no such GIF block")
    if not animation.frames:
        raise NotAPicture("has no picture in it")
    return Picture("image/gif", width, height, b"".join([*kept, b";"]), cursor.left)


def _colours(cursor: Cursor, flags: int) -> None:
    if flags & 0x80:
        cursor.take(3 << ((flags & 0x07) + 1))


def _frame(cursor: Cursor, blocks: _SubBlocks, animation: Animation) -> bytes:
    start = cursor.at - 1
    cursor.take(4)
    animation.add(cursor.number(2, "little"), cursor.number(2, "little"))
    _colours(cursor, cursor.number(1))
    if not 1 < cursor.number(1) < 12:
        raise NotAPicture("has a GIF frame that cannot be unpacked")
    blocks.skip()
    return bytes(cursor.data[start : cursor.at])


def _extension(cursor: Cursor, blocks: _SubBlocks, metadata: Metadata) -> bytes:
    kind = cursor.number(1)
    written = bytes(blocks.skip())
    if kind == _CONTROL and len(written) == 6 and written[0] == 4:
        return bytes((_EXTENSION, kind)) + written
    if kind == _COMMENT:
        metadata.add_text(_joined(written))
    elif kind == _TEXT:
        metadata.add_text(_joined(written[1 + written[0] :]))
    elif kind == _APPLICATION and written[:1] == b"\x0b":
        name = written[1:12]
        if name == _XMP:
            metadata.add_xmp(written[12:])  # as it is, without sub-blocks of its own
        elif name in _LOOPS and written[12:14] == b"\x03\x01" and len(written) >= 16:
            return bytes((_EXTENSION, kind)) + written[:16] + b"\0"
    return b""


def _joined(written: bytes) -> bytes:
    """What sub-blocks hold, of ones that were walked before."""
    parts, at = [], 0
    while at < len(written) and written[at]:
        parts.append(written[at + 1 : at + 1 + written[at]])
        at += 1 + written[at]
    return b"".join(parts)
