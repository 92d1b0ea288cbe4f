"""Escapes of JSON strings, resolved in any text: what hides in them is read by whoever takes the text apart."""

from __future__ import annotations

import re

_UNICODE_ESCAPES = re.compile(r"(?:\\u[0-9A-Fa-f]{4})+")
_SHORT_ESCAPES = (('\\"', '"'), ("\\/", "/"), ("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("\\b", "\b"), ("\\f", "\f"))
_ESCAPED_BACKSLASH = "\ue000"  # stands for it meanwhile; a text that holds one itself is judged unaltered as well


def unescape(text: str) -> str:
    """``text`` with the escapes of JSON strings (RFC 8259 section 7) resolved once, whether it is valid JSON or not."""
    text = text.replace("\\\\", _ESCAPED_BACKSLASH)
    text = _UNICODE_ESCAPES.sub(_characters, text)
    for escape, character in _SHORT_ESCAPES:
        text = text.replace(escape, character)
    return text.replace(_ESCAPED_BACKSLASH, "\\")


def _characters(escapes: re.Match[str]) -> str:
    return bytes.fromhex(escapes[0].replace("\\u", "")).decode("utf-16-be", "surrogatepass")
