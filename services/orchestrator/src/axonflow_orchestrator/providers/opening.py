"""Opens the room of providers; closed with the stack that it is given."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from axonflow_database import Database
from axonflow_outbound import Outbound
from axonflow_providers.registry import ProviderRegistry
from axonflow_providers.transport import HttpTransport, OutboundTransport
from axonflow_sealing import Sealer

from axonflow_orchestrator.providers.configured import Opener
from axonflow_orchestrator.providers.definition import Definition
from axonflow_orchestrator.providers.deployment import deployment_definitions, provider_specs
from axonflow_orchestrator.providers.health import HealthBook
from axonflow_orchestrator.providers.probing import Prober
from axonflow_orchestrator.providers.source import ProviderSource
from axonflow_orchestrator.providers.vault import Vault
from axonflow_orchestrator.settings import OrchestratorSettings


@dataclass(frozen=True, slots=True)
class ProviderRoom:
    """What routes and routing are made from.

    Attributes:
        deployment: the operator's own definitions.
        source: what the router asks.
        outbound: the way to endpoints that come in through the API.
    """

    deployment: tuple[Definition, ...]
    opener: Opener
    book: HealthBook
    source: ProviderSource
    prober: Prober
    outbound: Outbound


async def open_providers(
    stack: contextlib.AsyncExitStack,
    settings: OrchestratorSettings,
    database: Database,
    *,
    outbound: Outbound,
    sealer: Sealer,
) -> ProviderRoom:
    """The providers of every tenant, followed and probed until ``stack`` closes.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer.
        SettingsError: variables or files that name providers cannot be used.
    """
    specs = provider_specs(settings)
    deployment = deployment_definitions(settings, specs)
    trusted = await stack.enter_async_context(HttpTransport())
    registry = ProviderRegistry(specs, trusted=trusted, guarded=OutboundTransport(outbound))
    opener = Opener(registry, Vault(sealer), frozenset(settings.llm_providers))
    book = HealthBook(database, settings.org_id)
    source = ProviderSource(database, opener, deployment, book)
    await source.start()
    stack.push_async_callback(source.close)
    prober = Prober(source, book, every_s=settings.llm_health_interval_s, asks=settings.llm_health_probes)
    prober.start()
    stack.push_async_callback(prober.close)
    return ProviderRoom(deployment, opener, book, source, prober, outbound)
