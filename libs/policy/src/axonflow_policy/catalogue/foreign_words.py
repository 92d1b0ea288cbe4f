"""Words of other alphabets as patterns of bytes: patterns are ASCII and read UTF-8 without knowing it."""

from __future__ import annotations


def spelled(words: str) -> str:
    """Any of ``words``, which blanks separate, by the bytes of its UTF-8; upper and lower case are not one."""
    return "(?-i:" + "|".join(_bytes(word) for word in words.split()) + ")"


def _bytes(word: str) -> str:
    return "".join(rf"\x{value:02x}" for value in word.encode("utf-8"))
