"""Answers and questions with what policies want hidden masked; JSON stays JSON, and on doubt a whole text goes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from axonflow_contracts.verdicts import Action, Phase
from axonflow_policy import Content, Match, Part, PolicySet, redact_content, redact_text

from axonflow_agent.mcp.content import DATA, NAME, as_json, is_object, parameter_path

_WHOLE = "[REDACTED]"
MOST_FIELDS = 100


class MaskedRows(msgspec.Struct, frozen=True):
    """Rows after masking, and where something was masked (``data[0].ssn``), the first of these."""

    rows: list[Any]
    fields: tuple[str, ...]


class Masker:
    """Masks one side of one call as the set that judged it wants.

    Args:
        policy_set: judges again what only decoding brings to light.
        phase: the side.
        matches: all that was found; only those that redact are masked.
    """

    def __init__(self, policy_set: PolicySet, phase: Phase, matches: Iterable[Match]) -> None:
        self._set = policy_set
        self._phase = phase
        self._by_path: defaultdict[str, list[Match]] = defaultdict(list)
        self._veiled: set[str] = set()  # where something was found in the unescaped text
        for match in matches:
            if match.action is not Action.REDACT:
                continue
            path, mark, _ = match.path.partition("#")
            if mark and not match.path.endswith(NAME):
                self._veiled.add(path)
            else:
                self._by_path[match.path].append(match)

    @property
    def has_work(self) -> bool:
        """Whether anything is to be masked."""
        return bool(self._by_path or self._veiled)

    @property
    def findings(self) -> int:
        """How many findings are to be masked."""
        seen = sum(max(1, len(match.spans)) for matches in self._by_path.values() for match in matches)
        return seen + len(self._veiled - self._by_path.keys())

    def text(self, path: str, text: str) -> str:
        """The text that was judged at ``path``."""
        part = Part(path, text, structured=text.lstrip()[:1] in ("{", "["))
        part = msgspec.structs.replace(part, structured=is_object(part))
        masked = self._part(part)
        if path not in self._veiled:
            return masked
        if part.structured:
            return as_json(self._leaves(json.loads(masked), masked == text))
        again = self._again(masked)
        return _WHOLE if again == text else again

    def rows(self, rows: Sequence[Any]) -> MaskedRows:
        """The rows of an answer."""
        made: list[Any] = list(rows)
        fields: list[str] = []
        for path in {*self._by_path, *self._veiled}:
            index = int(path[len(DATA) + 1 : -1])
            made[index] = self._row(path, rows[index])
        for index, (before, after) in enumerate(zip(rows, made, strict=True)):
            if before is not after and len(fields) < MOST_FIELDS:
                fields += changed(before, after, f"{DATA}[{index}]")
        return MaskedRows(made, tuple(fields[:MOST_FIELDS]))

    def parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a question; one that is no string and has to be masked stays what JSON makes of it."""
        made: dict[str, Any] = {}
        for index, (name, value) in enumerate(parameters.items()):
            path = parameter_path(name, index)
            told = self.text(f"{path}{NAME}", name)
            made[told if told not in made else f"{told} ({index})"] = self._parameter(path, value)
        return made

    def _parameter(self, path: str, value: Any) -> Any:
        if path not in self._by_path and path not in self._veiled:
            return value
        if isinstance(value, str):
            return self.text(path, value)
        if isinstance(value, int | float):
            return self.text(path, str(value))
        return json.loads(self.text(path, as_json(value)))

    def _row(self, path: str, row: Any) -> Any:
        text = as_json(row)
        masked = self._part(Part(path, text, structured=True))
        value = json.loads(masked)
        return self._leaves(value, masked == text) if path in self._veiled else value

    def _part(self, part: Part) -> str:
        found = self._by_path.get(part.path)
        if not found:
            return part.text
        return redact_content(Content((part,)), found, judge=self._found).parts[0].text

    def _leaves(self, value: Any, untouched: bool) -> Any:
        """``value`` with each string judged by itself; where nothing at all is found, all strings go."""
        made = _mapped(value, self._again)
        if untouched and as_json(made) == as_json(value):
            return _mapped(value, lambda _text: _WHOLE)
        return made

    def _again(self, text: str) -> str:
        return redact_text(text, self._found(Content.of(text)))

    def _found(self, content: Content) -> list[Match]:
        matches = self._set.evaluate(content, self._phase).matches
        return [match for match in matches if match.action is Action.REDACT]


def changed(before: Any, after: Any, path: str) -> Iterator[str]:
    """Paths of the leaves in which two values of the same shape differ; names are those of ``after``."""
    if isinstance(before, dict) and isinstance(after, dict) and len(before) == len(after):
        for (old, one), (name, other) in zip(before.items(), after.items(), strict=True):
            below = f"{path}.{name}"
            if old != name:
                yield below
            yield from changed(one, other, below)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from changed(one, other, f"{path}[{index}]")
    elif before is not after and before != after:
        yield path


def _mapped(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _mapped(each, change) for name, each in value.items()}
    if isinstance(value, list):
        return [_mapped(each, change) for each in value]
    return value
