"""The agent as an MCP server: an assistant asks for checks, and looks into the record, as tools."""
