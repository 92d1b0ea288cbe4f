"""What is taken of the tools that a server lists, and the hash that pins one."""

from __future__ import annotations

import dataclasses
from typing import Any

import mcp_types
import pytest
from axonflow_connectors import ConnectorFault, Tool
from axonflow_connectors.mcp import tool_hash
from axonflow_connectors.mcp.listing import LARGEST_TOOL_BYTES, MOST_TOOLS, listing

TOOL = Tool(name="find", description="Finds.", input_schema={"type": "object", "properties": {"a": {}, "b": {}}})


def offered(name: str, description: str = "Finds.") -> mcp_types.Tool:
    return mcp_types.Tool(name=name, description=description, input_schema={"type": "object"})


@pytest.mark.parametrize("name", ["", "a b", "a/b", "find\u200b", "f\u0131nd", "x" * 129, "../x"])
def test_a_name_that_could_be_taken_for_another_is_left_out(name: str) -> None:
    found = listing([offered(name), offered("find")])
    assert (set(found.tools), found.left_out) == ({"find"}, 1)


def test_of_two_tools_of_one_name_neither_is_taken() -> None:
    found = listing([offered("find"), offered("find", "Sends."), offered("note")])
    assert (set(found.tools), found.left_out) == ({"note"}, 2)


def test_what_is_too_large_or_too_much_is_not_taken() -> None:
    assert not listing([offered("find", "x" * LARGEST_TOOL_BYTES)]).tools
    with pytest.raises(ConnectorFault):
        listing(offered(f"t{number}") for number in range(MOST_TOOLS + 1))


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "found"},
        {"description": "Finds. "},
        {"title": "Find"},
        {"input_schema": {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}}},
        {"output_schema": {}},
        {"annotations": {"readOnlyHint": True}},
    ],
)
def test_whatever_a_model_may_read_is_in_the_hash(changed: dict[str, Any]) -> None:
    assert tool_hash(dataclasses.replace(TOOL, **changed)) != tool_hash(TOOL)


def test_the_order_of_members_is_not_in_the_hash() -> None:
    schema = {"properties": {"b": {}, "a": {}}, "type": "object"}
    assert tool_hash(dataclasses.replace(TOOL, input_schema=schema)) == tool_hash(TOOL)
