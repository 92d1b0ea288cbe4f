"""JPEG files (ITU-T T.81): segments are walked, and only those that draw the picture stay."""

from __future__ import annotations

import re
from typing import NamedTuple

from axonflow_orchestrator.media.formats.metadata import Metadata
from axonflow_orchestrator.media.formats.picture import Cursor, NotAPicture, Picture, check_parts, check_size

SIGNATURE = b"\xff\xd8\xff"
MOST_SCANS = 200  # a decoder goes over the whole picture for each
_END, _SCAN, _COMMENT = 0xD9, 0xDA, 0xFE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDD})  # Huffman, arithmetic, quantization, restart interval
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
# A marker within a scan's data: not a stuffed zero, a restart, or a byte of filling.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_MORE_XMP, _MORE_XMP_HEAD = b"http://ns.adobe.com/xmp/extension/\0", 40  # a digest, the whole's length, an offset
_RESOURCES = b"Photoshop 3.0\0"


class _Told(NamedTuple):
    """Metadata that may be spread over segments."""

    xmp: list[bytes]
    resources: list[bytes]


def read(data: bytes, metadata: Metadata) -> Picture:
    """Read a file that begins with the signature; what it says beside the picture goes to ``metadata``.

    Raises:
        NotAPicture: it is damaged or too large.
    """
    cursor, kept, told = Cursor(data, 2), [b"\xff\xd8"], _Told([], [])
    size: tuple[int, int] | None = None
    count = scans = 0
    while (marker := _marker(cursor)) != _END:
        count += 1
        check_parts(count)
        if marker in _ALONE:
            continue
        body = _body(cursor)
        if marker in _FRAMES:
            if size is not None:
                raise NotAPicture("has more than one JPEG frame")
            size = _size(body)
        if marker == _SCAN:
            scans += 1
            if size is None or scans > MOST_SCANS:
                raise NotAPicture("has JPEG scans where none can be")
            kept += [segment(marker, bytes(body)), _scanned(data, cursor)]
        elif marker in _FRAMES or marker in _TABLES:
            kept.append(segment(marker, bytes(body)))
        else:
            kept.append(_other(marker, bytes(body), metadata, told))
    if size is None or not scans:
        raise NotAPicture("has no picture in it")
    metadata.add_xmp(b"".join(told.xmp))
    metadata.add_resources(b"".join(told.resources))
    if metadata.orientation:
        kept.insert(1, segment(0xE1, _EXIF + metadata.orientation_only()))
    return Picture("image/jpeg", *size, b"".join([*kept, b"\xff\xd9"]), cursor.left)


def segment(marker: int, body: bytes) -> bytes:
    """A segment as it is written."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body


def _marker(cursor: Cursor) -> int:
    if cursor.number(1) != 0xFF:
        raise NotAPicture("is damaged: a JPEG segment does not begin where the last ended")
    at = cursor.at
    while (found := cursor.number(1)) == 0xFF:  # filling
        check_parts(cursor.at - at)
    if found in {0x00, 0xD8}:
        raise NotAPicture("is damaged: there is no such JPEG marker")
    return found


def _body(cursor: Cursor) -> memoryview:
    length = cursor.number(2)
    if length < 2:
        raise NotAPicture("is damaged: a JPEG segment has no length")
    return cursor.take(length - 2)


def _size(body: memoryview) -> tuple[int, int]:
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise NotAPicture("has a JPEG header of the wrong length")
    height, width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    check_size(width, height)
    return width, height


def _scanned(data: bytes, cursor: Cursor) -> bytes:
    found = _NEXT_MARKER.search(data, cursor.at)
    if found is None:
        raise NotAPicture("is cut off")
    scanned, cursor.at = data[cursor.at : found.start()], found.start()
    return scanned


def _other(marker: int, body: bytes, metadata: Metadata, told: _Told) -> bytes:
    """What stays of a segment that draws nothing: the head of JFIF, and Adobe's word on how colours are meant."""
    if marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        return segment(marker, body[:12] + b"\0\0")  # without its thumbnail
    if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
        return segment(marker, body[:12])
    if marker == _COMMENT:
        metadata.add_text(body)
    elif marker == 0xE1 and body.startswith(_EXIF):
        metadata.add_exif(body[len(_EXIF) :])
    elif marker == 0xE1 and body.startswith(_XMP):
        told.xmp.append(body[len(_XMP) :] + b"\n")
    elif marker == 0xE1 and body.startswith(_MORE_XMP):
        told.xmp.append(body[len(_MORE_XMP) + _MORE_XMP_HEAD :])
    elif marker == 0xED and body.startswith(_RESOURCES):
        told.resources.append(body[len(_RESOURCES) :])
    return b""
