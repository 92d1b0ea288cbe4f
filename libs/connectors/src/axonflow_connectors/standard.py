"""The connectors that ship; a composition root gives them to a registry, with others of its own if it has any."""

from __future__ import annotations

from axonflow_connectors import http, mcp, mysql, postgres, redis, s3, slack, sqlite
from axonflow_connectors.specification import ConnectorSpec


def standard_specs() -> tuple[ConnectorSpec, ...]:
    """All of them, in the order in which a catalogue shows them."""
    return (postgres.SPEC, mysql.SPEC, sqlite.SPEC, http.SPEC, redis.SPEC, s3.SPEC, slack.SPEC, mcp.SPEC)
