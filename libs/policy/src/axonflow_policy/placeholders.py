"""Redaction that the same request can undo: placeholders such as ``<US_SSN_1>``, and the values that they stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NoReturn

import msgspec

from axonflow_policy.decoding import unescaped
from axonflow_policy.json_redaction import is_json, quoted
from axonflow_policy.masks import redaction_kind
from axonflow_policy.model import Content, Match, Part
from axonflow_policy.redaction import redact_part

_PLACEHOLDER = re.compile(r"<[A-Z0-9_]+_[0-9]+>")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_UNFIT = re.compile(r"[^A-Z0-9]+")
_US = "pii-us"


class Placeholders:
    """What each placeholder of one request stands for. Lives in memory only: neither shown nor serialised."""

    __slots__ = ("_by_value", "_counts", "_kinds", "_taken", "_values")

    def __init__(self, kinds: dict[str, str], taken: frozenset[str]) -> None:
        self._kinds = kinds
        self._taken = taken
        self._counts: dict[str, int] = {}
        self._by_value: dict[tuple[str, str, bool], str] = {}
        self._values: dict[str, tuple[str, bool]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Placeholders({', '.join(self._values)})"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("placeholders stay in the process that made them")

    def restore(self, text: str) -> str:
        """``text`` with the values back in the place of their placeholders; what only looks like one is left."""
        return _PLACEHOLDER.sub(self._value, text)

    def restore_content(self, content: Content) -> Content:
        """As `restore`, part by part; in structured parts the values are escaped, and numbers are numbers again."""
        return Content(tuple(self._restored(part) for part in content.parts))

    def placeholder_of(self, policy_id: str, value: str, number: bool) -> str:
        """The placeholder of a value: the one it has, else the next of its kind that the request does not hold."""
        kind = self._kinds[policy_id]
        known = self._by_value.get((kind, value, number))
        if known is not None:
            return known
        made = ""
        while not made or made in self._taken:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            made = f"<{kind}_{self._counts[kind]}>"
        self._by_value[kind, value, number] = made
        self._values[made] = (value, number)
        return made

    def _value(self, found: re.Match[str]) -> str:
        return self._values[found[0]][0] if found[0] in self._values else found[0]

    def _restored(self, part: Part) -> Part:
        whole = part.structured and is_json(part.text)
        text = _STRING.sub(self._restored_string, part.text) if whole else self.restore(part.text)
        return msgspec.structs.replace(part, text=text)

    def _restored_string(self, found: re.Match[str]) -> str:
        value, is_number = self._values.get(found[0][1:-1], ("", False))
        if is_number:
            return value
        inner = json.loads(found[0])
        again = self._restored_value(inner)
        return found[0] if again == inner else f'"{quoted(again)}"'

    def _restored_value(self, value: str) -> str:
        """A decoded string; what is JSON itself is restored token by token, as it was redacted."""
        if _PLACEHOLDER.search(value) is None:
            return value
        if value.lstrip()[:1] in ("{", "[") and is_json(value):
            return _STRING.sub(self._restored_string, value)
        return self.restore(value)


def redact_reversibly(content: Content, matches: Iterable[Match]) -> tuple[Content, Placeholders]:
    """``content`` with a placeholder for every value that ``matches`` found, and the way back for this request.

    Equal values of a kind share a placeholder; different ones are numbered as they appear. A placeholder that the
    content already holds in any spelling is not used, so that nobody's own words become somebody's value. Paths must
    be unique; a structured part that is no JSON is masked as a whole, for good. Escapes of a restored JSON string may
    differ from the original's; its value does not.
    """
    by_path: dict[str, list[Match]] = {}
    kinds: dict[str, str] = {}
    for match in matches:
        by_path.setdefault(match.path, []).append(match)
        kinds[match.policy_id] = _kind(match)
    taken: set[str] = set()
    for part in content.parts if kinds else ():
        taken.update(_PLACEHOLDER.findall(part.text), _PLACEHOLDER.findall(unescaped(part.text).text))
    placeholders = Placeholders(kinds, frozenset(taken))
    parts = [redact_part(part, by_path.get(part.path, ()), placeholders.placeholder_of) for part in content.parts]
    return Content(tuple(parts)), placeholders


def _kind(match: Match) -> str:
    name = _UNFIT.sub("_", redaction_kind(match.policy_id).upper()).strip("_") or "VALUE"
    return f"US_{name}" if match.category == _US else name
