"""What the provider family takes, keeps and shows (orchestrator contract section 1.7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from axonflow_orchestrator.providers.definition import DEFAULT_PRIORITY, DEFAULT_TIMEOUT_S, DEFAULT_WEIGHT


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """New values of a provider; what is left out stays. An empty ``api_key`` removes the key.

    Attributes:
        tenant_id: only a service that acts for an organisation names a tenant; a client's own always holds.
        rate_limit: calls a minute; 0 without a limit.
    """

    name: str | None = None
    type: str | None = None
    api_key: str | None = None
    api_key_secret_arn: str | None = None
    endpoint: str | None = None
    model: str | None = None
    region: str | None = None
    enabled: bool | None = None
    priority: int | None = None
    weight: int | None = None
    rate_limit: int | None = None
    timeout_seconds: int | None = None
    settings: dict[str, Any] | None = None
    tenant_id: str | None = None


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a test."""

    prompt: str | None = None
    model: str | None = None
    tenant_id: str | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """The query of the list."""

    type: str | None = None
    enabled: bool | None = None
    page: int | None = None
    page_size: int | None = None
    tenant_id: str | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``llm_providers``.

    Attributes:
        tenant_id: empty for the whole organisation.
        settings: without the secret ones.
        credentials: the key and the secret settings, sealed; None without any.
        credential_names: ``api_key`` and the names of secret settings.
    """

    org_id: str
    tenant_id: str
    name: str
    id: str
    type: str
    endpoint: str = ""
    model: str = ""
    region: str = ""
    enabled: bool = True
    priority: int = DEFAULT_PRIORITY
    weight: int = DEFAULT_WEIGHT
    rate_limit: int | None = None
    timeout_seconds: int = DEFAULT_TIMEOUT_S
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict)
    credentials: bytes | None = None
    credential_names: tuple[str, ...] = ()
    version: int = 1


class ProviderHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider did when last asked.

    Attributes:
        status: healthy, unhealthy or unknown.
        message: why, in words of ours; empty while all is well.
    """

    status: str = "unknown"
    message: str = ""
    last_checked: datetime | msgspec.UnsetType = msgspec.UNSET


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as it is shown: never a key.

    Attributes:
        enabled: as its definition says.
        admitted: whether the operator's LLM_PROVIDERS lets it answer.
    """

    name: str
    type: str
    source: str
    read_only: bool
    enabled: bool
    admitted: bool
    priority: int
    weight: int
    has_api_key: bool
    timeout_seconds: int
    settings: Mapping[str, Any]
    health: ProviderHealth
    endpoint: str | msgspec.UnsetType = msgspec.UNSET
    model: str | msgspec.UnsetType = msgspec.UNSET
    region: str | msgspec.UnsetType = msgspec.UNSET
    rate_limit: int | msgspec.UnsetType = msgspec.UNSET
    tenant_id: str | msgspec.UnsetType = msgspec.UNSET
    version: int | msgspec.UnsetType = msgspec.UNSET


class Pagination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page stands."""

    page: int
    page_size: int
    total_items: int
    total_pages: int


class ProviderPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the list."""

    providers: tuple[Shown, ...]
    pagination: Pagination


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a test found: an answer, or why there is none."""

    success: bool
    provider: str
    model: str
    latency_ms: float
    response: str | msgspec.UnsetType = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET


class ProviderType(msgspec.Struct, frozen=True, kw_only=True):
    """A type that this release knows.

    Attributes:
        available: whether the edition allows it.
        settings: what ``settings`` may hold for it, by name.
    """

    type: str
    name: str
    available: bool
    needs_api_key: bool
    needs_endpoint: bool
    default_endpoint: str
    default_model: str
    settings: Mapping[str, str]
    secret_settings: tuple[str, ...]
