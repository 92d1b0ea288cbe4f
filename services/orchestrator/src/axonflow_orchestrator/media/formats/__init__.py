"""Pictures as files: which format the bytes prove, what is said beside the picture, and the picture without it.

No pixel is unpacked, so a small file cannot become a large picture here; sizes are read from headers.
"""

from __future__ import annotations

from axonflow_orchestrator.media.formats import gif, jpeg, png, webp
from axonflow_orchestrator.media.formats.metadata import MOST_TEXT_BYTES, Metadata
from axonflow_orchestrator.media.formats.picture import LONGEST_SIDE, NotAPicture, Picture

__all__ = ["LONGEST_SIDE", "MOST_TEXT_BYTES", "Metadata", "NotAPicture", "Picture", "read_picture"]


def read_picture(data: bytes) -> tuple[Picture, Metadata]:
    """The picture in ``data`` and what was said beside it.

    Raises:
        NotAPicture: it is none of the formats, damaged, or too large.
    """
    metadata = Metadata()
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.read(data, metadata), metadata
    if data.startswith(png.SIGNATURE):
        return png.read(data, metadata), metadata
    if data.startswith(gif.SIGNATURES):
        return gif.read(data, metadata), metadata
    if webp.is_webp(data):
        return webp.read(data, metadata), metadata
    raise NotAPicture("is no JPEG, PNG, GIF or WebP file")
