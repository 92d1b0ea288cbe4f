"""The tools of one server as they were listed at one moment, and the hash that a tool is pinned by."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import mcp_types
import msgspec

from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.protocol import Tool

MOST_PAGES = 50
MOST_TOOLS = 500
LARGEST_TOOL_BYTES = 65_536
LARGEST_LISTING_BYTES = 1 << 20
# What the protocol asks for; another name could not be told from one that looks like it, and stands in no URL.
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """What a server offered, by name; ``left_out`` counts tools whose names or sizes are not usable."""

    tools: Mapping[str, Tool]
    left_out: int


def listing(offered: Iterable[mcp_types.Tool]) -> Listing:
    """Take what is usable of what a server offers; of two tools of one name, neither.

    Raises:
        ConnectorFault: of kind too_large, there are more than can be looked at.
    """
    found: dict[str, Tool] = {}
    twice: set[str] = set()
    left_out = total = 0
    for count, each in enumerate(offered, 1):
        encoded = each.model_dump_json(by_alias=True)
        size = len(encoded.encode())
        total += size
        if count > MOST_TOOLS or total > LARGEST_LISTING_BYTES:
            raise ConnectorFault(FaultKind.TOO_LARGE, "The MCP server lists more tools than are taken")
        if not _NAME.fullmatch(each.name) or size > LARGEST_TOOL_BYTES or "\\u0000" in encoded:  # no text has that
            left_out += 1
        elif each.name in found:
            twice.add(each.name)
            left_out += 1
        else:
            found[each.name] = _tool(each)
    return Listing({name: tool for name, tool in found.items() if name not in twice}, left_out + len(twice))


def tool_hash(tool: Tool) -> str:
    """SHA-256, hex, over everything of a tool that a model or a client may read, in one spelling."""
    return hashlib.sha256(msgspec.json.encode(dataclasses.asdict(tool), order="deterministic")).hexdigest()


def _tool(each: mcp_types.Tool) -> Tool:
    return Tool(
        name=each.name,
        description=each.description or "",
        input_schema=each.input_schema,
        title=each.title or "",
        output_schema=each.output_schema,
        annotations=_annotations(each.annotations),
    )


def _annotations(given: mcp_types.ToolAnnotations | None) -> dict[str, Any]:
    return {} if given is None else given.model_dump(by_alias=True, mode="json", exclude_none=True)
