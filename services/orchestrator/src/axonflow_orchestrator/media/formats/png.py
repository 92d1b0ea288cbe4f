"""PNG files (W3C PNG, third edition): every checksum is checked, and only chunks that draw the still picture stay."""

from __future__ import annotations

import zlib

from axonflow_orchestrator.media.formats.metadata import Metadata
from axonflow_orchestrator.media.formats.picture import Cursor, NotAPicture, Picture, check_parts, check_size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Section 11.2.2: which depths go with which colour type.
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_DRAWS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB"})
_LONGEST = {b"PLTE": 768, b"tRNS": 256, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1}
_LONGEST_KEYWORD = 79
_LATIN, _PACKED, _INTERNATIONAL, _EXIF = b"tEXt", b"zTXt", b"iTXt", b"eXIf"


def read(data: bytes, metadata: Metadata) -> Picture:
    """Read a file that begins with the signature; what it says beside the picture goes to ``metadata``.

    Raises:
        NotAPicture: it is damaged or too large.
    """
    cursor, kept, count = Cursor(data, len(SIGNATURE)), [SIGNATURE], 0
    width = height = pixels = 0
    kind = b""
    while kind != b"IEND":
        start = cursor.at
        kind, body = _chunk(cursor)
        count += 1
        check_parts(count)
        if (kind == b"IHDR") != (count == 1):
            raise NotAPicture("has no PNG header where it belongs")
        if count == 1:
            width, height = _header(body)
        pixels += len(body) if kind == b"IDAT" else 0
        if kind in _DRAWS:
            _check(kind, body)
            kept.append(bytes(cursor.data[start : cursor.at]))
        elif kind[0:1].isupper():
            raise NotAPicture("has a critical PNG chunk that is not known")
        else:
            _tell(kind, bytes(body), metadata)
    if not pixels:
        raise NotAPicture("has no picture in it")
    if metadata.orientation:
        kept.insert(2, chunk(_EXIF, metadata.orientation_only()))
    return Picture("image/png", width, height, b"".join(kept), cursor.left)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk as it is written."""
    return len(body).to_bytes(4) + kind + body + zlib.crc32(body, zlib.crc32(kind)).to_bytes(4)


def _chunk(cursor: Cursor) -> tuple[bytes, memoryview]:
    length = cursor.number(4)
    kind, body = bytes(cursor.take(4)), cursor.take(length)
    if cursor.number(4) != zlib.crc32(body, zlib.crc32(kind)):
        raise NotAPicture("is damaged: a checksum is wrong")
    return kind, body


def _header(body: memoryview) -> tuple[int, int]:
    if len(body) != 13:
        raise NotAPicture("has a PNG header of the wrong length")
    width, height = int.from_bytes(body[0:4]), int.from_bytes(body[4:8])
    depth, colour, method, filters, interlace = body[8:13]
    check_size(width, height)
    if depth not in _DEPTHS.get(colour, ()) or method or filters or interlace > 1:
        raise NotAPicture("has a PNG header that no picture has")
    return width, height


def _check(kind: bytes, body: memoryview) -> None:
    if kind == b"IEND" and len(body):
        raise NotAPicture("has data in its last PNG chunk")
    if len(body) > _LONGEST.get(kind, len(body)):
        raise NotAPicture("has a PNG chunk that is too long")


def _tell(kind: bytes, body: bytes, metadata: Metadata) -> None:
    if kind == _EXIF:
        metadata.add_exif(body)
        return
    if kind not in {_LATIN, _PACKED, _INTERNATIONAL}:
        return
    keyword, found, text = body.partition(b"\0")
    if not found or len(keyword) > _LONGEST_KEYWORD:
        return
    if kind == _PACKED:
        text = metadata.unpacked(text[1:])  # a byte names the method; there is only one
    elif kind == _INTERNATIONAL:
        packed, text = text[0:1] == b"\1", text[2:]
        text = b"".join(text.split(b"\0", 2)[2:])  # behind a language and a translated keyword
        text = metadata.unpacked(text) if packed else text
    metadata.add_named(keyword, text)
