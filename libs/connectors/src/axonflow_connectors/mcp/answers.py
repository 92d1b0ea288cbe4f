"""What a tool gave back, as rows and as content blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mcp_types
import msgspec

from axonflow_connectors.http_answers import as_rows


def rows_of(result: mcp_types.CallToolResult) -> Iterator[dict[str, Any]]:
    """Structured content where there is some, else each block; a text that is JSON gives its objects."""
    if result.structured_content is not None:
        structured = result.structured_content
        # The SDK's servers wrap what is no object in a member of this name.
        yield from as_rows(structured["result"] if set(structured) == {"result"} else structured)
        return
    for block in result.content:
        yield from _read(block) if isinstance(block, mcp_types.TextContent) else (_plain(block),)


def blocks_of(result: mcp_types.CallToolResult) -> Iterator[dict[str, Any]]:
    """The content blocks as the protocol writes them."""
    return (_plain(block) for block in result.content)


def _read(block: mcp_types.TextContent) -> list[dict[str, Any]]:
    text = block.text
    if text.lstrip()[:1] in {"{", "["}:
        try:
            return as_rows(msgspec.json.decode(text))
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            pass
    return [{"text": text}]


def _plain(block: mcp_types.ContentBlock) -> dict[str, Any]:
    return block.model_dump(by_alias=True, mode="json", exclude_none=True)
