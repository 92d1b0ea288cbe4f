"""The tool lockfile: what upstream MCP servers offer, pinned by what administrators accepted of it."""
