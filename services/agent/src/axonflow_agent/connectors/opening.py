"""Opens the connector runtime of a process; closed with the stack that it is given."""

from __future__ import annotations

import contextlib
from pathlib import Path

import aiohttp
from axonflow_connectors import ConnectorRegistry, Surroundings, standard_specs
from axonflow_database import Database, sealing_keys
from axonflow_internal_auth import TokenMinter
from axonflow_outbound import Egress, Outbound
from axonflow_sealing import Sealer
from axonflow_telemetry import Metrics

from axonflow_agent.connectors.fetching import OrchestratorDefinitions
from axonflow_agent.connectors.live import LiveConnectors
from axonflow_agent.connectors.locking import OrchestratorLocks, ToolLocks
from axonflow_agent.connectors.runtime import ConnectorRuntime
from axonflow_agent.settings import AgentSettings

SERVICE = "agent"


async def open_connectors(
    stack: contextlib.AsyncExitStack,
    settings: AgentSettings,
    database: Database,
    metrics: Metrics,
    *,
    session: aiohttp.ClientSession,
    minter: TokenMinter,
) -> ConnectorRuntime:
    """The runtime, following changes; nothing of a connector is opened yet.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer.
    """
    outbound = await stack.enter_async_context(Outbound(Egress.parse(settings.egress_allow)))
    sqlite_root = Path(settings.connector_sqlite_dir) if settings.connector_sqlite_dir else None
    surroundings = Surroundings(outbound=outbound, sqlite_root=sqlite_root, stdio_commands=settings.mcp_stdio_commands)
    registry = ConnectorRegistry(standard_specs(), surroundings)
    locks = ToolLocks(OrchestratorLocks(session, minter, settings.orchestrator_url, SERVICE), database)
    await locks.start()
    stack.push_async_callback(locks.close)
    live = LiveConnectors(registry, Sealer(await sealing_keys(settings, database)), locks)
    source = OrchestratorDefinitions(session, minter, settings.orchestrator_url, SERVICE)
    enabled = settings.connector_registry and bool(settings.orchestrator_url)
    runtime = ConnectorRuntime(source, live, database, enabled=enabled)
    await runtime.start()
    stack.push_async_callback(runtime.close)
    _watch(metrics, runtime)
    return runtime


def _watch(metrics: Metrics, runtime: ConnectorRuntime) -> None:
    counters = runtime.definitions.counters
    metrics.watch_connector_cache(
        {
            "cached_connectors": lambda: len(runtime.definitions),
            "hits": lambda: counters.hits,
            "misses": lambda: counters.misses,
            "evictions": lambda: counters.evictions,
            "hit_rate": lambda: counters.hit_rate_percent,
        }
    )
