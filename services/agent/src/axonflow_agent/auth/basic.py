"""Reads an ``Authorization: Basic`` header; never logs, quotes or repairs what it was given."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

# A client id and a 256-bit secret fit many times over; more is an attack on the decoder or the log.
MAX_HEADER_LENGTH = 1024


class Basic(NamedTuple):
    """Client id and secret as presented, unproven."""

    client_id: str
    secret: str


def parse_basic(header: str | None) -> Basic | None:
    """The credentials of ``header``, or None when it is absent, another scheme, or not well formed (RFC 7617)."""
    if header is None or len(header) > MAX_HEADER_LENGTH:
        return None
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    client_id, colon, secret = decoded.partition(":")
    if not colon or not decoded.isprintable():
        return None
    return Basic(client_id, secret)
