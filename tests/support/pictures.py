"""Small pictures of every format that is taken, made byte by byte, with whatever a test puts beside the picture."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping
from typing import Any

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
FORMATS = ("image/jpeg", "image/png", "image/gif", "image/webp")
GPS, LATITUDE, EXIF_DIRECTORY = 0x8825, 0x0002, 0x8769
DESCRIPTION, ORIENTATION, USER_COMMENT = 0x010E, 0x0112, 0x9286


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes, size: tuple[int, int] = (3, 2), after: bytes = b"") -> bytes:
    width, height = size
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(b"\0" * 20))
    parts = (png_chunk(b"IHDR", header), *chunks, pixels, png_chunk(b"IEND", b""))
    return PNG_SIGNATURE + b"".join(parts) + after


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg(
    *segments: bytes, size: tuple[int, int] = (3, 2), scan: bytes = b"\x12\xff\x00\x34", after: bytes = b""
) -> bytes:
    frame = struct.pack(">BHHB", 8, size[1], size[0], 1) + b"\x01\x11\x00"
    tables = jpeg_segment(0xDB, b"\0" * 65) + jpeg_segment(0xC4, b"\0" * 17)
    head = jpeg_segment(0xDA, b"\x01\x01\x00\x00\x3f\x00")
    return b"\xff\xd8" + b"".join(segments) + tables + jpeg_segment(0xC0, frame) + head + scan + b"\xff\xd9" + after


def gif_blocks(data: bytes) -> bytes:
    pieces = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes((len(piece),)) + piece for piece in pieces) + b"\0"


def gif(*blocks: bytes, size: tuple[int, int] = (3, 2), frames: int = 1, after: bytes = b"") -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", *size, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, *size, 0) + b"\x02" + gif_blocks(b"\x84\x51")
    return screen + b"".join(blocks) + frame * frames + b";" + after


def webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def webp_pixels(size: tuple[int, int] = (3, 2)) -> bytes:
    bits = (size[0] - 1) | (size[1] - 1) << 14
    return webp_chunk(b"VP8L", b"\x2f" + struct.pack("<I", bits) + b"\x07\x10\x11\x11\x88\x88\xfe\x07")


def webp(*chunks: bytes, size: tuple[int, int] = (3, 2), flags: int = 0x2C, after: bytes = b"") -> bytes:
    head = bytes((flags, 0, 0, 0)) + (size[0] - 1).to_bytes(3, "little") + (size[1] - 1).to_bytes(3, "little")
    body = b"WEBP" + webp_chunk(b"VP8X", head) + webp_pixels(size) + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body + after


def exif(entries: Mapping[int, Any], *, following: int = 0) -> bytes:
    """A big-endian block; a nested mapping is a directory, bytes are ASCII, a number is a SHORT."""
    return b"MM\0*" + struct.pack(">I", 8) + _directory(entries, 8, following)


def _directory(entries: Mapping[int, Any], at: int, following: int) -> bytes:
    head, tail, start = struct.pack(">H", len(entries)), b"", at + 6 + 12 * len(entries)
    for tag, value in entries.items():
        place = start + len(tail)
        if isinstance(value, int):
            head += struct.pack(">HHIHH", tag, 3, 1, value, 0)
        elif isinstance(value, bytes):
            head += struct.pack(">HHII", tag, 2, len(value), place)
            tail += value
        elif isinstance(value, tuple):  # degrees, minutes, seconds
            head += struct.pack(">HHII", tag, 5, len(value), place)
            tail += b"".join(struct.pack(">II", number, 1) for number in value)
        else:
            head += struct.pack(">HHII", tag, 4, 1, place)
            tail += _directory(value, place, 0)
    return head + struct.pack(">I", following) + tail


def plain(mime_type: str, **options: Any) -> bytes:
    """A picture of a format without anything beside it."""
    return {"image/jpeg": jpeg, "image/png": png, "image/gif": gif, "image/webp": webp}[mime_type](**options)


def saying(mime_type: str, text: bytes) -> bytes:
    """A picture of a format with a text beside it, in a place where that format commonly has one."""
    match mime_type:
        case "image/jpeg":
            return jpeg(jpeg_segment(0xFE, text))
        case "image/png":
            return png(png_chunk(b"tEXt", b"Comment\0" + text))
        case "image/gif":
            return gif(b"!\xfe" + gif_blocks(text))
        case _:
            return webp(webp_chunk(b"EXIF", exif({DESCRIPTION: text + b"\0"})))


def placed(mime_type: str) -> bytes:
    """A picture of a format that says where it was taken, and that it lies on its side."""
    block = exif({ORIENTATION: 6, GPS: {LATITUDE: (48, 8, 14)}})
    match mime_type:
        case "image/jpeg":
            return jpeg(jpeg_segment(0xE1, b"Exif\0\0" + block))
        case "image/png":
            return png(png_chunk(b"eXIf", block))
        case _:
            return webp(webp_chunk(b"EXIF", block))


def item(data: bytes, mime_type: str) -> dict[str, str]:
    """A member of ``media``."""
    return {"source": "base64", "base64_data": base64.b64encode(data).decode(), "mime_type": mime_type}
