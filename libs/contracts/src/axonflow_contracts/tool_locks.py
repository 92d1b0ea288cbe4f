"""What the agent tells the orchestrator of the tools that an upstream MCP server offers, and what it hears back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

OBSERVED_PATH = "/api/v1/internal/connectors/tools"
TOOL_LOCKS_CHANNEL = "axonflow_tool_locks"

LockState = Literal["pending", "accepted", "quarantined", "rejected"]
ToolAccess = Literal["read", "write"]


class OfferedTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool in the words of its server."""

    name: str
    description: str
    input_schema: Mapping[str, Any]
    title: str = ""
    output_schema: Mapping[str, Any] | None = None
    annotations: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one connector's server offers now."""

    connector_id: str
    tools: tuple[OfferedTool, ...]


class LockedTool(msgspec.Struct, frozen=True, kw_only=True):
    """How a tool stands.

    Attributes:
        accepted_hash: of what an administrator accepted; a tool of any other hash is not called.
        access: read where it was accepted as reading only.
    """

    name: str
    state: LockState
    accepted_hash: str | None
    access: ToolAccess


class LockedTools(msgspec.Struct, frozen=True, kw_only=True):
    """How the tools of one connector stand, those that its server no longer offers left out."""

    tools: tuple[LockedTool, ...]
