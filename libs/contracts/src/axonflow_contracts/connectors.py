"""Connector definitions as the orchestrator gives them to the agent: credentials stay sealed on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

DEFINITIONS_PATH = "/api/v1/internal/connectors"
# What the credentials are sealed for; with the organisation and the connector's id it makes their sealing context.
CREDENTIALS_PURPOSE = "connector.credentials"
CHANNEL = "axonflow_connectors"


class ConnectorDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One installed connector.

    Attributes:
        id: UUID; the credentials are sealed for it.
        version: grows with each change.
        credentials: a JSON object of strings, sealed; None without any.
    """

    id: str
    name: str
    type: str
    tenant_id: str
    version: int
    options: Mapping[str, Any] = msgspec.field(default_factory=dict)
    credentials: bytes | None = None


class ConnectorDefinitions(msgspec.Struct, frozen=True, kw_only=True):
    """All connectors of one tenant."""

    connectors: tuple[ConnectorDefinition, ...]
