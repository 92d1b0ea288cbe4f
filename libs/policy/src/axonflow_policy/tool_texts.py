"""What is wrong with the words in which an MCP server describes a tool: hidden characters, and orders to the model.

A description is documentation. One that addresses the model behind the user's back is flagged for a person to read,
so the rows here may be broader than those that refuse calls.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Action, Phase, Severity

from axonflow_policy.catalogue import catalogue
from axonflow_policy.engines import Re2Engine
from axonflow_policy.lookalikes import is_hidden
from axonflow_policy.model import Content, Part, Policy
from axonflow_policy.policy_set import PolicySet, checked_rows, regexp_of

_JUDGED = "security-dangerous"
_CATEGORY = "tool-description"
_BIDI = range(0x202A, 0x202F), range(0x2066, 0x206A)
_TAGS = range(0xE0000, 0xE0080)
_ACCENTS = range(0x300, 0x370)
_EMOJI_JOINTS = "\ufe0f\u200d"
_MOST_TEXTS = 4000
_SHOWN = 16
_LONGEST_PATH = 200

_SECRECY = (
    r"(?i)\b(?:do\s+not|don.?t|never|without)\s+(?:\w+\s+){0,3}?"
    r"(?:tell|telling|mention\w*|inform\w*|notify\w*|reveal\w*|show\w*|alert\w*|ask\w*)\s+"
    r"(?:\w+\s+){0,4}?(?:user|human|person|customer|anyone|anybody)\b"
)
_BESIDES = (
    r"(?i)\b(?:before|after|when(?:ever)?|prior\s+to|every\s+time|each\s+time)\s+(?:\w+\s+){0,2}?"
    r"(?:us(?:e|ing)|call(?:ing)?|invok(?:e|ing)|run(?:ning)?)\s+(?:this|that|these|any|another|other|the)\b[^.]{0,120}\b"
    r"(?:read|open|send|include|pass|call|fetch|collect|append|upload|forward|copy|cat)\b"
)
_RIVALS = (
    r"(?i)\b(?:never|do\s+not|don.?t|instead\s+of|rather\s+than)\s+(?:us(?:e|ing)|call(?:ing)?|trust(?:ing)?)\s+"
    r"(?:\w+\s+){0,3}?(?:other|another|any)\b(?:\s+\w+){0,3}?\s+tools?\b|\b(?:ignore|disregard|overrides?|supersedes?)"
    r"\s+(?:\w+\s+){0,3}?(?:descriptions?|instructions?|rules)\b"
)
_MARKUP = r"(?i)<\s*/?\s*(?:important|system|instructions?|secret|hidden|admin|assistant)\b[^>]{0,40}>"
_FILES = (
    r"(?i)~/\.(?:ssh|aws|kube|gnupg|cursor|claude|netrc|docker)\b|\bid_(?:rsa|ed25519|ecdsa)\b|\bmcp\.json\b"
    r"|/etc/(?:passwd|shadow)\b|\b(?:read|open|send|include)\s+(?:\w+\s+){0,3}?\.env\b"
)


def _row(name: str, pattern: str, reason: str) -> Policy:
    return Policy(
        id=f"tool_text_{name}",
        name=reason,
        category=_CATEGORY,
        severity=Severity.HIGH,
        priority=500,
        pattern=pattern,
        reason=reason,
        action=Action.BLOCK,
    )


_OWN = (
    _row("secrecy", _SECRECY, "Orders the model to keep something from the user"),
    _row("besides", _BESIDES, "Orders the model to do something besides the call"),
    _row("rivals", _RIVALS, "Speaks about other tools or instructions"),
    _row("markup", _MARKUP, "Holds markup that models take for instructions"),
    _row("files", _FILES, "Names files that hold secrets"),
)


class ToolFlag(msgspec.Struct, frozen=True, kw_only=True):
    """Why a person should read a tool's words before it is used.

    Attributes:
        kind: hidden or instruction.
        path: where in the tool, such as ``input_schema.properties.id.description``.
        reason: for people; nothing of the text itself.
    """

    kind: str
    path: str
    reason: str


class ToolTextJudge:
    """Reads tools' words; compiled once, safe to use from many threads."""

    def __init__(self) -> None:
        """Compiles for RE2 alone: descriptions are read seldom, and the engine of the hot paths takes seconds."""
        rows = [row for row in catalogue() if row.category == _JUDGED]
        checked = checked_rows([*rows, *_OWN], keep_disabled=False)
        patterns = tuple(regexp_of(row) for row in checked)
        self._set = PolicySet(checked, patterns, Posture(), Re2Engine(patterns), compiled_from_dump=False)

    def flags(self, tool: Mapping[str, Any]) -> tuple[ToolFlag, ...]:
        """What is wrong with ``tool``: each text, key and value of it at any depth."""
        texts = list(itertools.islice(_texts(tool), _MOST_TEXTS + 1))
        if len(texts) > _MOST_TEXTS:
            return (ToolFlag(kind="instruction", path="", reason="Has more texts than can be read"),)
        found = [*_hidden(texts), *self._instructions(texts)]
        return tuple(dict.fromkeys(found))[:_SHOWN]

    def _instructions(self, texts: Iterable[tuple[str, str]]) -> Iterator[ToolFlag]:
        content = Content(tuple(Part(path, text) for path, text in texts if text.strip()))
        for match in self._set.evaluate(content, Phase.REQUEST).matches:
            yield ToolFlag(kind="instruction", path=match.path, reason=match.reason)


def _hidden(texts: Iterable[tuple[str, str]]) -> Iterator[ToolFlag]:
    for path, text in texts:
        pairs = zip(" " + text, text, strict=False)
        for kind in sorted({_kind(before, each) for before, each in pairs} - {""}):
            yield ToolFlag(kind="hidden", path=path, reason=f"Holds {kind}")


def _kind(before: str, character: str) -> str:
    """What is odd about a character behind another; empty for what people see."""
    code = ord(character)
    if 32 <= code < 127 or character in "\n\r\t":
        return ""
    if code in _TAGS:
        return "tag characters, which spell text that nobody sees"
    if any(code in bidi for bidi in _BIDI):
        return "direction controls, which show text in another order than it is read in"
    category = unicodedata.category(character)
    if category in {"Cc", "Co", "Cs", "Cn"}:
        return "control characters or such without a shape"
    if code in _ACCENTS or not is_hidden(character) or _joins_emoji(before, character):
        return ""
    return "zero-width or otherwise invisible characters"


def _joins_emoji(before: str, character: str) -> bool:
    return character in _EMOJI_JOINTS and (unicodedata.category(before) in {"So", "Sk"} or before == _EMOJI_JOINTS[0])


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every text with its path; without recursion, since a schema may be nested as deep as its size lets it."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, each = waiting.pop()
        if isinstance(each, str):
            yield path, each
        elif isinstance(each, Mapping):
            for key, inner in each.items():
                name = key if key.isascii() and key.isprintable() and len(key) <= 40 else "{key}"
                inside = (f"{path}.{name}" if path else name)[-_LONGEST_PATH:]
                yield inside, key
                waiting.append((inside, inner))
        elif isinstance(each, list | tuple):
            waiting += [(f"{path}[{index}]", inner) for index, inner in enumerate(each)]
