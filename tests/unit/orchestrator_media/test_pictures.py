"""Files that are pictures, files that are not, and what is left of either for a model to see."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable

import pytest
from axonflow_orchestrator.media.formats import LONGEST_SIDE, MOST_TEXT_BYTES, Metadata, NotAPicture, read_picture
from axonflow_orchestrator.media.formats.jpeg import MOST_SCANS
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pictures import (
    DESCRIPTION,
    EXIF_DIRECTORY,
    FORMATS,
    GPS,
    LATITUDE,
    USER_COMMENT,
    exif,
    gif,
    gif_blocks,
    jpeg,
    jpeg_segment,
    placed,
    plain,
    png,
    png_chunk,
    saying,
    webp,
    webp_chunk,
    webp_pixels,
)

SECRET = b"Patient Ann, SSN 123-45-6789"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmp:CreateDate="2024-01-02T10:00:00"'
    b' photoshop:Credit="Ann &amp; Sons"><dc:title>' + SECRET + b"</dc:title></rdf:Description></x:xmpmeta>"
)


def refusal(data: bytes) -> str:
    with pytest.raises(NotAPicture) as refused:
        read_picture(data)
    return str(refused.value)


@pytest.mark.parametrize("mime_type", FORMATS)
def test_a_picture_is_known_by_its_bytes_and_reads_the_same_once_it_is_clean(mime_type: str) -> None:
    picture, metadata = read_picture(plain(mime_type))
    assert (picture.mime_type, picture.width, picture.height, picture.trailing_bytes) == (mime_type, 3, 2, 0)
    assert metadata.texts == []
    again, _ = read_picture(picture.clean)
    assert again == picture


@pytest.mark.parametrize("mime_type", FORMATS)
def test_what_is_said_beside_a_picture_is_read_and_does_not_stay_in_it(mime_type: str) -> None:
    picture, metadata = read_picture(saying(mime_type, SECRET))
    assert SECRET.decode() in "\n".join(metadata.texts)
    assert SECRET not in picture.clean
    assert read_picture(picture.clean)[1].texts == []


@pytest.mark.parametrize("mime_type", [each for each in FORMATS if each != "image/gif"])
def test_a_position_is_told_and_cut_out_and_the_side_that_is_up_stays(mime_type: str) -> None:
    picture, metadata = read_picture(placed(mime_type))
    assert (metadata.has_position, metadata.orientation) == (True, 6)
    again, left = read_picture(picture.clean)
    assert (left.has_position, left.orientation) == (False, 6)
    assert again.clean == picture.clean


@pytest.mark.parametrize("mime_type", FORMATS)
def test_what_follows_the_end_of_a_picture_is_left_out(mime_type: str) -> None:
    archive = b"PK\x03\x04" + SECRET
    picture, _ = read_picture(plain(mime_type, after=archive))
    assert picture.trailing_bytes == len(archive)
    assert picture.clean == read_picture(plain(mime_type))[0].clean


@pytest.mark.parametrize("mime_type", FORMATS)
def test_a_picture_that_is_cut_off_anywhere_is_refused(mime_type: str) -> None:
    whole = saying(mime_type, SECRET)
    for length in range(len(whole)):
        refusal(whole[:length])


@pytest.mark.parametrize("mime_type", FORMATS)
@pytest.mark.parametrize("size", [(LONGEST_SIDE + 1, 1), (1, LONGEST_SIDE + 1)])
def test_a_small_file_of_a_huge_picture_is_refused_by_its_header(mime_type: str, size: tuple[int, int]) -> None:
    assert "at most 8192 a side" in refusal(plain(mime_type, size=size))
    assert read_picture(plain(mime_type, size=(LONGEST_SIDE, LONGEST_SIDE)))[0].width == LONGEST_SIDE


def test_pictures_without_area_or_without_a_picture_are_refused() -> None:
    assert "zero" in refusal(png(size=(0, 1)))
    assert "zero" in refusal(jpeg(size=(1, 0)))
    assert "zero" in refusal(gif(size=(0, 0)))
    assert "no picture" in refusal(gif(frames=0))
    assert "no picture" in refusal(b"\xff\xd8" + jpeg_segment(0xFE, b"text") + b"\xff\xd9")


def test_an_animation_whose_frames_would_fill_the_memory_is_refused() -> None:
    side = (LONGEST_SIDE, LONGEST_SIDE)
    assert read_picture(gif(size=side, frames=4))[0].mime_type == "image/gif"
    assert "too many pixels" in refusal(gif(size=side, frames=5))


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"<svg onload=alert(1)>", b"BM", b"II*\0", b"RIFF\0\0\0\0WAVE"])
def test_other_files_are_refused(data: bytes) -> None:
    assert "no JPEG, PNG, GIF or WebP" in refusal(data)


def test_damage_is_noticed() -> None:
    broken = bytearray(png())
    broken[20] ^= 1
    assert "checksum" in refusal(bytes(broken))
    assert "critical" in refusal(png(png_chunk(b"CgBI", b"\0" * 4)))
    assert "does not begin" in refusal(b"\xff\xd8\xff\xfe\x00\x04ab" + b"zz")
    assert "another size" in refusal(webp(webp_pixels((9, 9)), flags=0))
    assert "more than one" in refusal(webp(webp_pixels(), flags=0))


@pytest.mark.parametrize(
    "data",
    [
        png(png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(SECRET))),
        png(png_chunk(b"iTXt", b"Comment\0\1\0en\0Kommentar\0" + zlib.compress(SECRET))),
        png(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)),
        png(png_chunk(b"tEXt", b"Raw profile type exif\0\nexif\n99\n" + exif({DESCRIPTION: SECRET}).hex().encode())),
        jpeg(jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)),
        jpeg(
            *(
                jpeg_segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 40 + part)
                for part in (XMP[:150], XMP[150:])
            )
        ),
        jpeg(jpeg_segment(0xE1, b"Exif\0\0" + exif({EXIF_DIRECTORY: {USER_COMMENT: b"ASCII\0\0\0" + SECRET}}))),
        jpeg(
            jpeg_segment(
                0xED,
                b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", 5 + len(SECRET))
                + b"\x1c\x02\x78" + struct.pack(">H", len(SECRET)) + SECRET,
            )
        ),
        gif(b"!\x01" + b"\x0c" + b"\0" * 12 + gif_blocks(SECRET)),
        gif(b"!\xff\x0bXMP DataXMP" + XMP.replace(b"\0", b"") + b"\x01" + bytes(range(255, -1, -1)) + b"\0"),
        webp(webp_chunk(b"XMP ", XMP)),
    ],
)  # fmt: skip
def test_text_is_found_wherever_tools_put_it(data: bytes) -> None:
    picture, metadata = read_picture(data)
    assert any(SECRET.decode() in text for text in metadata.texts), metadata.texts
    assert SECRET not in picture.clean
    assert zlib.compress(SECRET) not in picture.clean


def test_of_xmp_what_people_wrote_is_kept_and_what_tools_wrote_is_not() -> None:
    metadata = Metadata()
    metadata.add_xmp(XMP)
    assert "Ann & Sons" in metadata.texts
    assert not [text for text in metadata.texts if "adobe" in text or text.startswith("2024-01-02")]


def test_entities_of_xmp_are_numbers_and_names_and_never_unfold() -> None:
    metadata = Metadata()
    metadata.add_xmp(b'<!DOCTYPE x [<!ENTITY a "aaaa">]><t>SSN &#49;23&#x2D;45&#x2D;6789 &a; &#1114112; &#55296;</t>')
    assert "SSN 123-45-6789 &a;" in " ".join(metadata.texts)


def test_a_packed_text_swells_no_further_than_the_bound() -> None:
    bomb = zlib.compress(b"A" * 50_000_000)
    for chunk in (b"zTXt", b"iTXt"):
        head = b"Comment\0\0" if chunk == b"zTXt" else b"Comment\0\1\0\0\0"
        picture, metadata = read_picture(png(*[png_chunk(chunk, head + bomb)] * 20))
        assert sum(map(len, metadata.texts)) <= MOST_TEXT_BYTES
        assert not metadata.is_whole
        assert len(picture.clean) < 200


def test_a_megabyte_of_text_is_read_up_to_the_bound_and_said_to_be_more() -> None:
    picture, metadata = read_picture(png(*(png_chunk(b"tEXt", b"k\0" + b"word " * 200) for _ in range(1100))))
    assert sum(map(len, metadata.texts)) <= MOST_TEXT_BYTES
    assert not metadata.is_whole
    assert len(picture.clean) < 200


def test_directories_that_lead_in_circles_or_nowhere_end() -> None:
    loop = exif({DESCRIPTION: SECRET, GPS: {LATITUDE: (1, 2, 3)}}, following=8)
    metadata = Metadata()
    metadata.add_exif(loop)
    assert metadata.has_position
    for block in (b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"II*\0\x08\0\0\0" + b"\xff" * 6000, b""):
        metadata.add_exif(block)
    assert len(metadata.texts) == 1


def test_more_scans_than_a_picture_needs_are_refused() -> None:
    scan = jpeg_segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12"
    assert "scans" in refusal(jpeg(scan=b"\x12" + scan * MOST_SCANS))


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a\1\0\1\0\0\0\0!\xfe" + b"\x01a" * 400_000,
        png(*[png_chunk(b"tEXt", b"")] * 70_000),
        b"\xff\xd8" + b"\xff" * 200_000,
        b"\xff\xd8" + b"\xff\x01" * 70_000 + b"\xff\xd9",
    ],
    ids=["sub-blocks", "chunks", "filling", "markers"],
)
def test_files_of_very_many_parts_are_refused(data: bytes) -> None:
    assert " more " in refusal(data)


def _mutated(data: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("make", [placed, lambda mime_type: saying(mime_type, SECRET)], ids=["placed", "saying"])
@given(mime_type=st.sampled_from([each for each in FORMATS if each != "image/gif"]), seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_a_file_with_some_bytes_changed_is_read_or_refused(
    make: Callable[[str], bytes], mime_type: str, seed: int
) -> None:
    data = _mutated(make(mime_type), seed)
    try:
        picture, _ = read_picture(data)
    except NotAPicture:
        return
    assert max(picture.width, picture.height) <= LONGEST_SIDE
    assert len(picture.clean) <= len(data) + 64
    read_picture(picture.clean)


@given(
    head=st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x40\0\0\0WEBP", b""]),
    rest=st.binary(),
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(head: bytes, rest: bytes) -> None:
    try:
        read_picture(head + rest)
    except NotAPicture:
        return


@given(block=st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_no_metadata_block_is_an_accident(block: bytes) -> None:
    metadata = Metadata()
    for add in (metadata.add_exif, metadata.add_xmp, metadata.add_iptc, metadata.add_resources, metadata.add_text):
        add(block)
        add(b"8BIM\x04\x04" + block)
        add(b"MM\0*\0\0\0\x08" + block)
