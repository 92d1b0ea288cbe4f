"""What a file says beside its picture: texts, position and orientation, gathered within one bound for each file."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from axonflow_orchestrator.media.formats import exif

# More than this is left unread, and said to be; none of it goes anywhere.
MOST_TEXT_BYTES = 262_144
_SHORTEST_TEXT = 4
_TAG = re.compile(rb"<[^<>]*>")
_ATTRIBUTE = re.compile(rb"""(?<=\s)([\w.:-]{1,60})\s{0,4}=\s{0,4}(?:"([^"<]*)"|'([^'<]*)')""")
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
# What tools write for each other: namespaces, identifiers of documents, dates.
_NOT_SAID = re.compile(
    r"(?:https?://(?:ns\.adobe\.com|www\.w3\.org|purl\.org|iptc\.org|cipa\.jp)\b\S*|(?:xmp\.[di]id|uuid|adobe:docid):\S*"
    r"|[0-9A-Fa-f]{32}|\d{4}[-:]\d\d[-:]\d\d(?:[T ][\d:.]*(?:Z|[+-]\d\d:?\d\d)?)?)"
)
_POSITION = (b"GPSLatitude", b"GPSLongitude")
_RESOURCE, _IPTC_RESOURCE = b"8BIM", 0x0404
_XMP_KEYWORD, _RAW = b"XML:com.adobe.xmp", b"Raw profile type "


class Metadata:
    """Filled while a file is read; nothing in it is part of the picture."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.has_position = False
        self.orientation = 0
        self.is_whole = True
        self._left = MOST_TEXT_BYTES

    def add_text(self, written: bytes) -> None:
        """A text in UTF-8, in UTF-16 with a mark, or in Latin-1."""
        taken = self._take(written)
        if taken.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = taken.decode("utf-16", "replace")
        else:
            try:
                text = taken.decode("utf-8-sig")
            except UnicodeDecodeError:
                text = taken.decode("latin-1")
        self._add(text)

    def add_named(self, keyword: bytes, text: bytes) -> None:
        """A text under a keyword, which may say that it is metadata of another kind."""
        if keyword == _XMP_KEYWORD:
            self.add_xmp(text)
        elif keyword.startswith(_RAW):
            self._add_raw(keyword[len(_RAW) :], text)
        else:
            self.add_text(keyword + b": " + text)

    def add_exif(self, block: bytes) -> None:
        """A TIFF directory."""
        found = exif.read_exif(block, self._left)
        self.has_position |= found.has_position
        self.orientation = self.orientation or found.orientation
        for text in found.texts:
            self.add_text(text)
        for kind, value in found.others:
            {"xmp": self.add_xmp, "iptc": self.add_iptc, "resources": self.add_resources}[kind](value)

    def add_xmp(self, packet: bytes) -> None:
        """An XMP packet: what its elements and attributes hold. It is not parsed as XML, so nothing in it unfolds."""
        packet = self._take(packet)
        if packet.startswith((b"\xff\xfe", b"\xfe\xff")):
            packet = packet.decode("utf-16", "replace").encode("utf-8", "replace")
        self.has_position |= any(name in packet for name in _POSITION)
        for said in (*_attributes(packet), *_TAG.split(packet)):
            self._add(_unescaped(said.decode("utf-8", "replace")))

    def add_resources(self, block: bytes) -> None:
        """Photoshop's image resources, of which one holds IPTC."""
        at = 0
        while block[at : at + 4] == _RESOURCE and at + 12 <= len(block):
            kind = int.from_bytes(block[at + 4 : at + 6])
            start = at + 7 + block[at + 6] + (block[at + 6] + 1) % 2  # a name of even length with its length
            length = int.from_bytes(block[start : start + 4])
            if kind == _IPTC_RESOURCE:
                self.add_iptc(block[start + 4 : start + 4 + length])
            at = start + 4 + length + length % 2

    def add_iptc(self, block: bytes) -> None:
        """Datasets of IPTC-IIM, each a record, a number and a text."""
        at = 0
        while block[at : at + 1] == b"\x1c" and at + 5 <= len(block) and self._left:
            length = int.from_bytes(block[at + 3 : at + 5])
            if length & 0x8000:  # a length of a length, for what no text has
                return
            if block[at + 1] == 2 and block[at + 2]:
                self.add_text(block[at + 5 : at + 5 + length])
            at += 5 + length

    def unpacked(self, data: bytes) -> bytes:
        """Packed (zlib) data as far as the bound lets it swell; nothing where it is none."""
        stream = zlib.decompressobj()
        try:
            found = stream.decompress(data, self._left + 1)
        except zlib.error:
            return b""
        self.is_whole &= len(found) <= self._left
        return found

    def orientation_only(self) -> bytes:
        """An EXIF block that says which side is up, and nothing else."""
        return exif.orientation_block(self.orientation)

    def _add_raw(self, kind: bytes, text: bytes) -> None:
        """ImageMagick's form: a name, a length, and hexadecimal digits in lines."""
        digits = b"".join(self._take(text, counts=False).split()[2:])
        try:
            block = bytes.fromhex(digits.decode("ascii"))
        except ValueError:
            self.add_text(text)
            return
        block = block.removeprefix(b"Exif\0\0")
        if kind in {b"exif", b"APP1"}:
            self.add_exif(block)
            kind = b"xmp"  # which ImageMagick also keeps under APP1
        if kind == b"xmp":
            self.add_xmp(block)
        elif kind in {b"iptc", b"8bim"}:
            self.add_resources(block.removeprefix(b"Photoshop 3.0\0"))
            self.add_iptc(block)

    def _take(self, written: bytes, *, counts: bool = True) -> bytes:
        self.is_whole &= len(written) <= self._left
        taken = written[: self._left]
        self._left -= len(taken) if counts else 0
        return taken

    def _add(self, text: str) -> None:
        said = text.replace("\0", " ").strip()
        if len(said) >= _SHORTEST_TEXT and not _NOT_SAID.fullmatch(said):
            self.texts.append(said)


def _attributes(packet: bytes) -> Iterator[bytes]:
    for name, one, other in _ATTRIBUTE.findall(packet):
        if not name.startswith(b"xmlns"):
            yield one or other


def _unescaped(text: str) -> str:
    def meant(match: re.Match[str]) -> str:
        decimal, hexadecimal, name = match.groups()
        if name:
            return _NAMED[name]
        code = int(decimal) if decimal else int(hexadecimal, 16)
        return chr(code) if code < 0x11_0000 and not 0xD800 <= code < 0xE000 else " "

    return _ENTITY.sub(meant, text)
