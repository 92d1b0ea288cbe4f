"""What the connector family takes, keeps and shows (orchestrator contract section 1.10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

MASK = "********"


class Configure(msgspec.Struct, frozen=True, kw_only=True):
    """New options and credentials of an installed connector; what is left out stays.

    Attributes:
        tenant_id: only a service that acts for an organisation names a tenant; a client's own always holds.
    """

    options: dict[str, Any] | None = None
    credentials: dict[str, str] | None = None
    tenant_id: str | None = None


class Install(Configure, frozen=True, kw_only=True):
    """The body of an install; without a name the connector is called as its type."""

    name: str | None = None


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``connectors`` with what its last look found.

    Attributes:
        credentials: sealed; None without any.
        healthy: None before the first look, as ``checked_at``.
    """

    org_id: str
    tenant_id: str
    name: str
    id: str
    type: str
    options: Mapping[str, Any]
    credentials: bytes | None
    credential_names: tuple[str, ...]
    version: int
    installed_by: str
    installed_at: datetime
    updated_at: datetime
    healthy: bool | None = None
    checked_at: datetime | None = None


class Connector(msgspec.Struct, frozen=True, kw_only=True):
    """A type of the catalogue, or an installed connector; ``credentials`` shows which are set and never a value.

    Attributes:
        instance_name: the installed connector's name; empty for what is not installed.
    """

    id: str
    name: str
    type: str
    version: str
    description: str
    category: str
    icon: str
    tags: tuple[str, ...]
    capabilities: tuple[str, ...]
    config_schema: Mapping[str, Any]
    installed: bool
    healthy: bool
    instance_name: str = ""
    tenant_id: str | msgspec.UnsetType = msgspec.UNSET
    options: Mapping[str, Any] | msgspec.UnsetType = msgspec.UNSET
    credentials: Mapping[str, str] | msgspec.UnsetType = msgspec.UNSET
    installed_at: datetime | msgspec.UnsetType = msgspec.UNSET
    last_check: datetime | msgspec.UnsetType = msgspec.UNSET


class ConnectorList(msgspec.Struct, frozen=True, kw_only=True):
    """The catalogue with what the tenant installed from it."""

    connectors: tuple[Connector, ...]
    total: int


class ConnectorHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a connector; ``latency`` is in nanoseconds, as the SDKs read it."""

    healthy: bool
    latency: int
    details: Mapping[str, str]
    timestamp: datetime
    error: str | msgspec.UnsetType = msgspec.UNSET
