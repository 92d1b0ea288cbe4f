"""Redacts what a base64 or hexadecimal payload stands for, and writes it again in the form that it had."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_HEXADECIMAL = re.compile(r"(0[xX])?((?:[0-9A-Fa-f]{2})+)")
_URL_SAFE = re.compile(r"[_-]")


def redacted_payload(payload: str, redact: Callable[[str], str]) -> str | None:
    """``payload`` with its text redacted, in the same alphabet and with padding where it had it.

    None where it is no payload in one piece, does not decode to UTF-8 text, or ``redact`` changes nothing in it: the
    caller masks the whole then.
    """
    hexadecimal = _HEXADECIMAL.fullmatch(payload)
    if hexadecimal is not None:
        text = _text(bytes.fromhex(hexadecimal[2]))
        if text is not None:
            made = redact(text)
            digits = made.encode("utf-8").hex()
            lower = hexadecimal[2] == hexadecimal[2].lower()
            return None if made == text else (hexadecimal[1] or "") + (digits if lower else digits.upper())
    return _redacted_base64(payload, redact)


def _redacted_base64(payload: str, redact: Callable[[str], str]) -> str | None:
    if not _BASE64.fullmatch(payload):
        return None
    body = payload.rstrip("=")
    url_safe = _URL_SAFE.search(body) is not None
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_" if url_safe else b"+/", validate=True)
    except binascii.Error:
        return None
    text = _text(raw)
    if text is None or (made := redact(text)) == text:
        return None
    again = made.encode("utf-8")
    written = (base64.urlsafe_b64encode(again) if url_safe else base64.b64encode(again)).decode("ascii")
    unpadded = body == payload and len(body) % 4 != 0
    return written.rstrip("=") if unpadded else written


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
