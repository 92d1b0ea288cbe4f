"""A tool's lock as it is kept, and what is asked and shown of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from axonflow_contracts.tool_locks import LockState, ToolAccess
from axonflow_policy.tool_texts import ToolFlag


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``mcp_tool_locks``."""

    tool: str
    state: LockState
    access: ToolAccess
    accepted: Mapping[str, Any] | None
    accepted_hash: str | None
    offered: Mapping[str, Any]
    offered_hash: str
    flags: tuple[ToolFlag, ...] = ()
    present: bool = True
    decided_by: str | None = None
    decided_at: datetime | None = None
    decided_reason: str | None = None
    first_seen_at: datetime | None = None
    changed_at: datetime | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an acceptance or a rejection.

    Attributes:
        hash: of what was looked at, so that nothing is accepted that came in between.
        access: read or write; without it what the tool says of itself.
    """

    hash: str = ""
    access: ToolAccess | None = None
    reason: str = ""


class ShownTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool in a list."""

    name: str
    state: LockState
    access: ToolAccess
    hash: str
    accepted_hash: str | None
    flags: tuple[ToolFlag, ...]
    present: bool
    description: str
    first_seen_at: datetime | None
    changed_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    decided_reason: str | None


class ToolList(msgspec.Struct, frozen=True, kw_only=True):
    """All tools of a connector that were ever heard of."""

    connector: str
    tools: tuple[ShownTool, ...]
    count: int


class ChangedMember(msgspec.Struct, frozen=True, kw_only=True):
    """One member of a tool that differs; what nobody sees of a text is written as escapes."""

    path: str
    old: str | None
    new: str | None


class ToolDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What a server offers beside what was accepted of it.

    Attributes:
        old: None where nothing was accepted yet.
        unified: both as JSON in the form of ``diff -u``.
    """

    name: str
    state: LockState
    hash: str
    flags: tuple[ToolFlag, ...]
    old: Mapping[str, Any] | None
    new: Mapping[str, Any]
    changes: tuple[ChangedMember, ...]
    unified: str
