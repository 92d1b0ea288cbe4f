"""Finds a path in the table of what is forwarded, in one step a segment."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import StrEnum

from axonflow_agent.forward.table import ORCHESTRATOR, PORTAL, PORTAL_OPEN


class Target(StrEnum):
    """A service that requests are forwarded to; the value is its audience and the name in error bodies."""

    ORCHESTRATOR = "orchestrator"
    PORTAL = "portal"


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One allowed path.

    Attributes:
        path: its template, which is also what the access log shows.
        methods: what may be asked; HEAD goes with GET.
        target: who answers.
        needs_caller: whether the client must have proved who it is.
    """

    path: str
    methods: frozenset[str]
    target: Target
    needs_caller: bool = True


@dataclasses.dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = dataclasses.field(default_factory=dict)
    parameter: _Node | None = None
    entry: Entry | None = None

    def child(self, segment: str) -> _Node:
        if not segment.startswith("{"):
            return self.literals.setdefault(segment, _Node())
        if self.parameter is None:
            self.parameter = _Node()
        return self.parameter

    def find(self, segments: list[str], depth: int) -> Entry | None:
        if depth == len(segments):
            return self.entry
        literal = self.literals.get(segments[depth])
        found = None if literal is None else literal.find(segments, depth + 1)
        if found is None and self.parameter is not None and segments[depth]:
            found = self.parameter.find(segments, depth + 1)
        return found


class Allowlist:
    """Every allowed path, as a tree of segments; a literal segment is stronger than a parameter."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self.entries = entries
        self._root = _Node()
        for entry in entries:
            node = self._root
            for segment in entry.path.split("/")[1:]:
                node = node.child(segment)
            node.entry = entry

    def find(self, path: str) -> Entry | None:
        """The entry that ``path``, still percent-encoded, belongs to."""
        first, *segments = path.split("/")
        return None if first else self._root.find(segments, 0)


def default_allowlist() -> Allowlist:
    """The table as it is shipped."""
    return Allowlist(
        (
            *_entries(ORCHESTRATOR, Target.ORCHESTRATOR),
            *_entries(PORTAL, Target.PORTAL),
            *_entries(PORTAL_OPEN, Target.PORTAL, needs_caller=False),
        )
    )


def _entries(table: Mapping[str, str], target: Target, *, needs_caller: bool = True) -> list[Entry]:
    return [
        Entry(path, frozenset(methods.split()) | ({"HEAD"} if "GET" in methods else set()), target, needs_caller)
        for path, methods in table.items()
    ]
