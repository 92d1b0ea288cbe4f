"""A connector that federates an upstream MCP server."""

from axonflow_connectors.mcp.connector import SPEC
from axonflow_connectors.mcp.listing import tool_hash

__all__ = ["SPEC", "tool_hash"]
