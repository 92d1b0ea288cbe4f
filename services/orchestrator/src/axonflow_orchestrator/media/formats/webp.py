"""WebP files (RFC 9649): chunks are walked, and only those that draw the picture stay."""

from __future__ import annotations

from axonflow_orchestrator.media.formats.metadata import Metadata
from axonflow_orchestrator.media.formats.picture import Animation, Cursor, NotAPicture, Picture, check_parts, check_size

_EXTENDED, _LOSSY, _LOSSLESS, _ALPHA = b"VP8X", b"VP8 ", b"VP8L", b"ALPH"
_LOOPS, _FRAME, _EXIF, _XMP = b"ANIM", b"ANMF", b"EXIF", b"XMP "
_HAS_PROFILE, _HAS_EXIF, _HAS_XMP, _IS_ANIMATED = 0x20, 0x08, 0x04, 0x02
_FRAME_HEAD = 16
_LONGEST_LOOPS = 6


def is_webp(data: bytes) -> bool:
    """Whether a file begins as one."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def read(data: bytes, metadata: Metadata) -> Picture:
    """Read a file for which `is_webp` holds; what it says beside the picture goes to ``metadata``.

    Raises:
        NotAPicture: it is damaged or too large.
    """
    length = int.from_bytes(data[4:8], "little")
    if length + 8 > len(data):
        raise NotAPicture("is cut off")
    cursor = Cursor(memoryview(data)[: length + 8], 12)
    trailing = len(data) - length - 8
    kind, body = _chunk(cursor)
    if kind == _EXTENDED:
        width, height, clean = _extended(cursor, body, metadata)
    else:
        width, height = _measure(kind, body)
        clean = chunk(kind, bytes(body))
        trailing += cursor.left
    return Picture("image/webp", width, height, file_of(clean), trailing)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk as it is written."""
    return kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)


def file_of(chunks: bytes) -> bytes:
    """A file of these chunks."""
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks


def _chunk(cursor: Cursor) -> tuple[bytes, memoryview]:
    kind, length = bytes(cursor.take(4)), cursor.number(4, "little")
    body = cursor.take(length)
    if length % 2 and cursor.left:  # what is missing at the very end is filling alone
        cursor.take(1)
    return kind, body


def _extended(cursor: Cursor, head: memoryview, metadata: Metadata) -> tuple[int, int, bytes]:
    if len(head) != 10:
        raise NotAPicture("has a WebP header of the wrong length")
    width, height = 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    check_size(width, height)
    kept, animation, animated, count = [], Animation(), bool(head[0] & _IS_ANIMATED), 0
    while cursor.left:
        kind, body = _chunk(cursor)
        count += 1
        check_parts(count)
        if kind == _FRAME and animated:
            kept.append(_frame(body, animation))
        elif kind in {_LOSSY, _LOSSLESS} and not animated:
            if _measure(kind, body) != (width, height):
                raise NotAPicture("has a picture of another size than its header says")
            animation.add(width, height)
            kept.append(chunk(kind, bytes(body)))
        elif (kind == _ALPHA and not animated) or (kind == _LOOPS and animated and len(body) == _LONGEST_LOOPS):
            kept.append(chunk(kind, bytes(body)))
        else:
            _tell(kind, bytes(body), metadata)
    if not animation.frames or (animation.frames > 1 and not animated):
        raise NotAPicture("has no picture in it, or more than one")
    return width, height, _rebuilt(head, kept, metadata)


def _rebuilt(head: memoryview, kept: list[bytes], metadata: Metadata) -> bytes:
    flags = head[0] & ~(_HAS_PROFILE | _HAS_EXIF | _HAS_XMP)
    if metadata.orientation:
        kept = [*kept, chunk(_EXIF, metadata.orientation_only())]
        flags |= _HAS_EXIF
    return b"".join([chunk(_EXTENDED, bytes((flags,)) + bytes(head[1:])), *kept])


def _frame(body: memoryview, animation: Animation) -> bytes:
    cursor = Cursor(body)
    head = bytes(cursor.take(_FRAME_HEAD))
    size = 1 + int.from_bytes(head[6:9], "little"), 1 + int.from_bytes(head[9:12], "little")
    animation.add(*size)
    kept, drawn = [head], 0
    while cursor.left:
        kind, inner = _chunk(cursor)
        check_parts(len(kept))
        if kind in {_LOSSY, _LOSSLESS}:
            if _measure(kind, inner) != size:
                raise NotAPicture("has a frame of another size than its header says")
            drawn += 1
        elif kind != _ALPHA:
            continue
        kept.append(chunk(kind, bytes(inner)))
    if drawn != 1:
        raise NotAPicture("has a frame without a picture, or with more than one")
    return chunk(_FRAME, b"".join(kept))


def _measure(kind: bytes, body: memoryview) -> tuple[int, int]:
    """Width and height as the bitstream itself says them (RFC 6386 section 9.1, RFC 9649 section 3.4)."""
    if kind == _LOSSY and len(body) >= 10 and bytes(body[3:6]) == b"\x9d\x01\x2a" and not body[0] & 1:
        size = int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    elif kind == _LOSSLESS and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        size = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        raise NotAPicture("has no picture in it")
    check_size(*size)
    return size


def _tell(kind: bytes, body: bytes, metadata: Metadata) -> None:
    if kind == _EXIF:
        metadata.add_exif(body.removeprefix(b"Exif\0\0"))
    elif kind == _XMP:
        metadata.add_xmp(body)
