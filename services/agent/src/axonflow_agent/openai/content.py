"""Every text of a chat completion that a model or its tools would read, each with where it stands."""

from __future__ import annotations

import re
from typing import Any

from axonflow_policy import Content, Part
from axonflow_policy.escapes import unescape

# Such a property name carries neither a message nor a number nor a key; any other is judged like text.
_PLAIN_KEY = re.compile(r"[A-Za-z_$]{1,32}")
# A path is for people and for the row: whatever it says stays short, and holds no text of the caller but plain keys.
_LONGEST_PATH = 160
# Media is judged by its own analysers; as text it would only be noise. It is media only where a model takes it as such.
_MEDIA_PATH = re.compile(r"messages\[\d+\]\.content\[\d+\]\.(?:(image_url\.url)|input_audio\.data)")
_MEDIA_PREFIX = re.compile(r"data:(?:image|audio|video)/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]*={0,2}\s*")
_ARGUMENTS = "arguments"
# Words of the protocol itself, at the keys where they stand; anything else found there is judged.
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_TYPES = frozenset({"text", "function", "image_url", "input_audio", "file", "refusal", "json_schema", "json_object"})
_PROTOCOL_WORDS = {"role": _ROLES, "type": _TYPES}
# Numbers that identify somebody or an account have nine digits or more; no text needs more than 40.
_LEAST_NUMBER, _MOST_NUMBER = 10**8, 10**40
# Nested as deep as this, an escape is met by no reader that takes arguments apart.
_MOST_UNESCAPED = 3


def content_of(document: dict[str, Any]) -> Content:
    """All text of a request, the conversation first, since the row keeps the beginning of what was judged.

    Strings are judged wherever they stand, property names unless they are plain words, and long numbers unless they
    are a parameter of the call itself, which no model reads.
    """
    texts = _Texts()
    texts.conversation(document.get("messages"))
    for index, (key, value) in enumerate(document.items()):
        if key != "messages":
            texts.member(key, value, "", index, structured=False, numbers=False)
    return Content(tuple(texts.parts))


def parts_of(value: object, path: str) -> tuple[Part, ...]:
    """Every text of one value at ``path``; a text that is itself JSON is judged with its escapes resolved as well."""
    texts = _Texts()
    texts.walk(value, path, structured=isinstance(value, str) and value.lstrip()[:1] in {"{", "[", '"'})
    return tuple(texts.parts)


class _Texts:
    """Collects parts; the depth of its recursion is bounded by the JSON reader."""

    __slots__ = ("_cut", "_role", "parts")

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._cut = 0
        self._role = ""

    def conversation(self, messages: Any) -> None:
        """Take every message, each under its own role."""
        if not isinstance(messages, list):
            self.walk(messages, "messages", structured=False)
            return
        for index, message in enumerate(messages):
            role = message.get("role") if isinstance(message, dict) else None
            self._role = role if isinstance(role, str) and role in _ROLES else ""
            self.walk(message, f"messages[{index}]", structured=False)
        self._role = ""

    def walk(self, node: Any, path: str, *, structured: bool, numbers: bool = True) -> None:
        """Take every text at ``node`` and below it."""
        if isinstance(node, str):
            self._text(node, path, structured=structured)
        elif isinstance(node, dict):
            for index, (key, value) in enumerate(node.items()):
                self.member(key, value, path, index, structured=structured)
        elif isinstance(node, list):
            for index, value in enumerate(node):
                self.walk(value, self._below(path, f"[{index}]"), structured=structured)
        elif isinstance(node, int | float) and numbers and _LEAST_NUMBER <= abs(node) < _MOST_NUMBER:
            self.parts.append(Part(path, str(int(node)), structured, self._role))

    def member(self, key: str, value: Any, path: str, index: int, *, structured: bool, numbers: bool = True) -> None:
        """Take a member of an object: its name if it could say anything, then its value."""
        plain = _PLAIN_KEY.fullmatch(key) is not None
        name = key if plain else f"{{{index}}}"
        below = self._below(path, f".{name}" if path else name)
        if not plain and key:
            self.parts.append(Part(f"{below}#key", key, structured, self._role))
        if key in _PROTOCOL_WORDS and isinstance(value, str) and value in _PROTOCOL_WORDS[key]:
            return
        self.walk(value, below, structured=structured or key == _ARGUMENTS, numbers=numbers)

    def _text(self, text: str, path: str, *, structured: bool) -> None:
        if not text or _is_media(text, path):
            return
        self.parts.append(Part(path, text, structured, self._role))
        if structured:
            self._unescaped(text, path)

    def _unescaped(self, text: str, path: str) -> None:
        """Arguments are JSON in a string: an escape hides nothing from the tool that reads them, valid or not."""
        for depth in range(1, _MOST_UNESCAPED + 1):
            if "\\" not in text:
                return
            text = unescape(text)
            self.parts.append(Part(f"{path}#unescaped{depth}", text, role=self._role))

    def _below(self, path: str, step: str) -> str:
        grown = path + step
        if len(grown) <= _LONGEST_PATH:
            return grown
        self._cut += 1  # keeps apart what would look alike
        return f"{grown[: _LONGEST_PATH // 2]}…{self._cut}"


def _is_media(text: str, path: str) -> bool:
    place = _MEDIA_PATH.fullmatch(path)
    if place is None:
        return False
    prefix = _MEDIA_PREFIX.match(text)
    if place[1] is not None and prefix is None:
        return False
    return _BASE64.fullmatch(text, prefix.end() if prefix else 0) is not None
