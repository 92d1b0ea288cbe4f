"""What routing needs of its neighbours: configured providers, and what is known of their health."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from axonflow_providers import Provider, ProviderConfig


class Configured(Protocol):
    """A provider that may be asked, as the providers' room describes it.

    ``id`` is its own in the whole deployment, so that what is known of it here is known of it for all who share it.
    ``org_id`` is empty for what the whole deployment shares.
    """

    @property
    def id(self) -> str: ...  # noqa: D102 - the class says it
    @property
    def org_id(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def config(self) -> ProviderConfig: ...  # noqa: D102
    @property
    def provider(self) -> Provider: ...  # noqa: D102
    @property
    def enabled(self) -> bool: ...  # noqa: D102
    @property
    def priority(self) -> int: ...  # noqa: D102
    @property
    def weight(self) -> int: ...  # noqa: D102
    @property
    def rate_limit(self) -> int | None: ...  # noqa: D102
    @property
    def regions(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def allowed_models(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def denied_models(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def default_model(self) -> str: ...  # noqa: D102
    @property
    def pricing(self) -> str: ...  # noqa: D102


class Seen(Protocol):
    """How a provider did when last asked."""

    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def last_checked(self) -> datetime | Any: ...  # noqa: D102


class Providers(Protocol):
    """Where configured providers come from."""

    async def providers_for(self, org_id: str, tenant_id: str, *, named: str = "") -> tuple[Any, ...]:
        """All that a tenant may use, in order of names; those switched off are among them."""
        ...

    def on_health(self, provider: Any, *, healthy: bool, message: str = "") -> None:
        """Hear what a call found."""
        ...

    def health_of(self, provider: Any) -> Seen:
        """What probes and calls found."""
        ...
