"""A provider that may be asked, as the router takes it, and how definitions become one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from axonflow_providers import Provider, ProviderConfig, ProviderFault
from axonflow_providers.registry import ConfigInvalid, ProviderRegistry
from axonflow_settings import Secret

from axonflow_orchestrator.providers.definition import ALLOWED, DENIED, Definition, Source
from axonflow_orchestrator.providers.records import Row
from axonflow_orchestrator.providers.vault import KeysLocked, Vault

API_KEY = "api_key"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredProvider:
    """One provider with its live side.

    Attributes:
        provider: live, and shared by all calls; it needs no closing.
        enabled: it is switched on, and the operator's LLM_PROVIDERS admits it.
        weight: its share under the weighted strategy, relative to the others'.
        rate_limit: calls a minute; None without a limit.
        regions: tags in lower case that data residency is decided by.
        allowed_models: the only models that may be asked, with ``*`` for any part of a name; empty for any.
        denied_models: models that may not; stronger than ``allowed_models``.
        pricing: the provider's key in the price table.
        source: database, file, environment or built_in.
        tenant_id: empty for what an organisation or the whole deployment shares.
        version: grows with each change of a database row; 0 for others.
        id: of its health: the row's id, or source:name.
        org_id: the owner; empty for the deployment's.
    """

    name: str
    type: str
    config: ProviderConfig
    provider: Provider
    enabled: bool
    priority: int
    weight: int
    rate_limit: int | None
    regions: frozenset[str]
    allowed_models: tuple[str, ...]
    denied_models: tuple[str, ...]
    pricing: str
    source: str
    tenant_id: str
    version: int
    id: str
    org_id: str
    default_model: str


@dataclasses.dataclass(frozen=True, slots=True)
class Opener:
    """Makes configured providers.

    Attributes:
        admitted: names and types that LLM_PROVIDERS lists; empty admits all.
    """

    registry: ProviderRegistry
    vault: Vault
    admitted: frozenset[str]

    def row(self, row: Row) -> ConfiguredProvider:
        """A provider from the database, its key opened for the moment of making it.

        Raises:
            ConfigInvalid: its configuration can no longer be used; so do ``ProviderFault`` and ``KeyError`` say.
            KeysLocked: its key cannot be opened.
        """
        return self._open(
            self.defined(row), id_=row.id, org_id=row.org_id, tenant_id=row.tenant_id, version=row.version
        )

    def deployment(self, definition: Definition) -> ConfiguredProvider:
        """A provider of the deployment's own.

        Raises:
            ConfigInvalid: its configuration cannot be used.
        """
        return self._open(definition, id_=health_id(definition), org_id="", tenant_id="", version=0)

    def defined(self, row: Row) -> Definition:
        """A row with its secrets.

        Raises:
            KeysLocked: they cannot be opened.
        """
        return definition_of(row, self.vault.open(row))

    def _open(
        self, definition: Definition, *, id_: str, org_id: str, tenant_id: str, version: int
    ) -> ConfiguredProvider:
        config = definition.config
        spec = self.registry.spec(config.type)
        return ConfiguredProvider(
            name=definition.name,
            type=definition.type,
            config=config,
            provider=self.registry.open(config),
            enabled=definition.enabled and self.admits(definition),
            priority=definition.priority,
            weight=definition.weight,
            rate_limit=definition.rate_limit,
            regions=definition.regions,
            allowed_models=definition.words(ALLOWED),
            denied_models=definition.words(DENIED),
            pricing=spec.pricing,
            source=definition.source.value,
            tenant_id=tenant_id,
            version=version,
            id=id_,
            org_id=org_id,
            default_model=config.model or spec.default_model,
        )

    def admits(self, definition: Definition | Row) -> bool:
        """Whether LLM_PROVIDERS lets it answer."""
        return not self.admitted or definition.name in self.admitted or definition.type in self.admitted


OPENING_FAULTS = (ConfigInvalid, ProviderFault, KeysLocked, KeyError)


def definition_of(row: Row, secrets: Mapping[str, Secret]) -> Definition:
    """A row as a definition, with the secrets given."""
    return Definition(
        name=row.name,
        type=row.type,
        source=Source.DATABASE,
        endpoint=row.endpoint,
        model=row.model,
        region=row.region,
        enabled=row.enabled,
        priority=row.priority,
        weight=row.weight,
        rate_limit=row.rate_limit,
        timeout_s=row.timeout_seconds,
        api_key=secrets.get(API_KEY),
        settings={**row.settings, **{name: value for name, value in secrets.items() if name != API_KEY}},
    )


def health_id(definition: Definition) -> str:
    """Under what the health of one of the deployment's own is kept."""
    return f"{definition.source.value}:{definition.name}"
