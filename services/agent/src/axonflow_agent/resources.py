"""Opens what the agent needs, in reading order, and closes it in reverse: governance, then audit, then the pools."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import AsyncIterator

import aiohttp
import msgspec
from axonflow_audit import AuditLog
from axonflow_contracts.posture import Posture
from axonflow_database import Database, internal_secret, partition_keeper
from axonflow_governance import Governor, PolicySource
from axonflow_governance.opening import Governors, open_recording
from axonflow_guards import NonceLedger, RateLimiter
from axonflow_internal_auth import TokenMinter, TokenVerifier
from axonflow_policy import catalogue
from axonflow_settings import Edition, Secret
from axonflow_telemetry import Metrics
from axonflow_web import Lifecycle

from axonflow_agent.auth.authenticator import Authenticator
from axonflow_agent.auth.door import Door
from axonflow_agent.auth.user_token import UserTokenVerifier
from axonflow_agent.breaker.breaker import Breaker
from axonflow_agent.breaker.records import Thresholds
from axonflow_agent.clients.service import ClientService
from axonflow_agent.clients.snapshot import ClientSnapshot
from axonflow_agent.connectors.opening import open_connectors
from axonflow_agent.connectors.runtime import ConnectorRuntime
from axonflow_agent.overrides.expiry import expiry_watch
from axonflow_agent.settings import AgentSettings

logger = logging.getLogger("axonflow.agent")

NAME = "agent"
SERVICE = "axonflow-agent"
_CONNECT_TIMEOUT_S = 10.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The live objects behind the routes.

    Attributes:
        upstream: connections to model providers.
        mcp_governor: of the MCP planes, which have levers of their own; it records like the other.
        siblings: connections to orchestrator and portal; apart, so that slow models never keep a plan waiting.
    """

    settings: AgentSettings
    database: Database
    upstream: aiohttp.ClientSession
    siblings: aiohttp.ClientSession
    minter: TokenMinter
    policies: PolicySource
    posture: Posture
    audit: AuditLog
    governor: Governor
    mcp_governor: Governor
    door: Door
    breaker: Breaker
    connectors: ConnectorRuntime
    metrics: Metrics
    lifecycle: Lifecycle = dataclasses.field(default_factory=Lifecycle)


@contextlib.asynccontextmanager
async def open_agent(settings: AgentSettings) -> AsyncIterator[Agent]:
    """Open everything; the schema must have been migrated.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer.
        AuditDirectoryError: rows could not be kept while PostgreSQL is away.
        PolicySetUnavailable: the system policies could not be read whole.
    """
    async with contextlib.AsyncExitStack() as stack:
        metrics = Metrics()
        database = await Database.open(settings)
        stack.push_async_callback(database.close)
        secret = await internal_secret(settings, database)
        await _bootstrap(settings, database)
        door = await _open_door(stack, settings, database, secret)
        posture = _posture("GATEWAY", settings.gateway_posture, enabled=settings.gateway_policies_enabled)
        policies = PolicySource(database, posture, overrides_act=settings.edition is Edition.ENTERPRISE)
        await policies.start()
        stack.push_async_callback(policies.close)
        metrics.watch_policy_set_age(lambda: policies.age_s)
        audit = await _open_audit(stack, settings, database, metrics)
        breaker = await _open_breaker(stack, settings, database, metrics)
        _keep_up(stack, database, audit)
        mcp_posture = _posture("MCP", settings.mcp_posture, enabled=settings.mcp_policies_enabled)
        recording = await open_recording(stack, settings, database, (posture, mcp_posture))
        governors = Governors(stack, settings, metrics, service=SERVICE, audit=audit, gate=breaker, recording=recording)
        siblings = await stack.enter_async_context(_session(settings.upstream_connections))
        minter = TokenMinter(secret, NAME)
        yield Agent(
            settings=settings,
            database=database,
            upstream=await stack.enter_async_context(_session(settings.upstream_connections)),
            siblings=siblings,
            minter=minter,
            policies=policies,
            posture=posture,
            audit=audit,
            governor=governors.over(policies),
            mcp_governor=governors.over(policies.under(mcp_posture)),
            door=door,
            breaker=breaker,
            connectors=await open_connectors(stack, settings, database, metrics, session=siblings, minter=minter),
            metrics=metrics,
        )


async def _bootstrap(settings: AgentSettings, database: Database) -> None:
    if settings.bootstrap_client is not None:
        client_id, secret = settings.bootstrap_client
        await ClientService(database, settings.org_id).bootstrap(client_id, secret)


async def _open_door(
    stack: contextlib.AsyncExitStack, settings: AgentSettings, database: Database, secret: Secret
) -> Door:
    clients = ClientSnapshot(database)
    await clients.start()
    stack.push_async_callback(clients.close)
    previous = settings.internal_secret_previous
    return Door(
        Authenticator(
            mode=settings.mode,
            org_id=settings.org_id,
            credentials=clients,
            user_tokens=UserTokenVerifier(settings.jwt_secret),
        ),
        RateLimiter(database),
        default_limit=settings.rate_limit_per_minute,
        internal=TokenVerifier((secret, previous) if previous else (secret,), NAME, NonceLedger(database, NAME)),
        max_body_bytes=settings.max_body_bytes,
    )


def _posture(mode: str, posture: Posture, *, enabled: bool) -> Posture:
    if enabled:
        return posture
    logger.warning("%s_STATIC_POLICIES_ENABLED=false: these calls are recorded, and none is judged", mode)
    return msgspec.structs.replace(posture, skip_categories=frozenset(policy.category for policy in catalogue()))


def _keep_up(stack: contextlib.AsyncExitStack, database: Database, audit: AuditLog) -> None:
    """What must be seen to now and then, by any replica."""
    for keeper in (expiry_watch(database, audit), partition_keeper(database)):
        keeper.start()
        stack.push_async_callback(keeper.close)


async def _open_breaker(
    stack: contextlib.AsyncExitStack, settings: AgentSettings, database: Database, metrics: Metrics
) -> Breaker:
    automatic = settings.circuit_auto and settings.edition is Edition.ENTERPRISE
    breaker = Breaker(database, metrics, defaults=Thresholds(), automatic=automatic)
    await breaker.start()
    stack.push_async_callback(breaker.close)
    return breaker


async def _open_audit(
    stack: contextlib.AsyncExitStack, settings: AgentSettings, database: Database, metrics: Metrics
) -> AuditLog:
    audit = await AuditLog.open(
        database,
        service=NAME,
        fallback_path=settings.audit_fallback_path,
        commit_wait_s=settings.audit_commit_wait_ms / 1000,
        asynchronous=settings.audit_async,
        max_file_bytes=settings.audit_fallback_max_bytes,
        metrics=metrics,
    )
    stack.push_async_callback(audit.close)
    return audit


def _session(connections: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        auto_decompress=False,
        connector=aiohttp.TCPConnector(limit=connections),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
