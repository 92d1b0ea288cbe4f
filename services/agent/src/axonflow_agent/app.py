"""The composition root: `open_agent` opens what the agent needs in reading order, `create_app` holds the URL table."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import AsyncIterator, Callable, Mapping

import aiohttp
import msgspec
from axonflow_audit import AuditLog, RefusalFold
from axonflow_contracts.errors import Fault, Surface
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Plane
from axonflow_contracts.version import platform_version
from axonflow_database import Database, internal_secret
from axonflow_governance import Governor, PolicySource, Refusal
from axonflow_guards import NonceLedger, RateLimiter
from axonflow_internal_auth import TokenMinter, TokenVerifier, is_identity_header
from axonflow_policy import Policy, catalogue
from axonflow_pricing import default_prices
from axonflow_settings import Edition
from axonflow_telemetry import DecisionTracer, Metrics
from axonflow_web import Lifecycle, application
from axonflow_web.hygiene import OnRefusal
from starlette.routing import Route, request_response
from starlette.types import ASGIApp, Scope

from axonflow_agent.auth.authenticator import Authenticator
from axonflow_agent.auth.door import Door
from axonflow_agent.auth.user_token import UserTokenVerifier
from axonflow_agent.clients import endpoints as clients
from axonflow_agent.clients.service import ClientService
from axonflow_agent.clients.snapshot import ClientSnapshot
from axonflow_agent.correlation import Correlation, exchange_of
from axonflow_agent.health import SERVICE, HealthEndpoints
from axonflow_agent.openai import endpoints as openai
from axonflow_agent.openai.service import ChatService
from axonflow_agent.policies import routes as policies
from axonflow_agent.policies.service import PolicyReader
from axonflow_agent.settings import AgentSettings
from axonflow_agent.upstream import Upstream

logger = logging.getLogger("axonflow.agent")

NAME = "agent"
_CONNECT_TIMEOUT_S = 10.0
_PLANES = {openai.PATH: Plane.OPENAI}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The live objects behind the routes."""

    settings: AgentSettings
    database: Database
    session: aiohttp.ClientSession
    minter: TokenMinter
    policies: PolicySource
    audit: AuditLog
    governor: Governor
    door: Door
    metrics: Metrics
    posture: Posture
    lifecycle: Lifecycle = dataclasses.field(default_factory=Lifecycle)


@contextlib.asynccontextmanager
async def open_agent(settings: AgentSettings) -> AsyncIterator[Agent]:
    """Open the agent's resources, and close them in reverse: requests have ended, then audit, then the pools.

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
        clients_snapshot = ClientSnapshot(database)
        await clients_snapshot.start()
        stack.push_async_callback(clients_snapshot.close)
        posture = _posture(settings)
        source = PolicySource(database, posture)
        await source.start()
        stack.push_async_callback(source.close)
        metrics.watch_policy_set_age(lambda: source.age_s)
        audit = await AuditLog.open(
            database,
            service=NAME,
            fallback_path=settings.audit_fallback_path,
            commit_wait_s=settings.audit_commit_wait_ms / 1000,
            asynchronous=settings.audit_async,
            metrics=metrics,
        )
        stack.push_async_callback(audit.close)
        refusals = RefusalFold(audit.write)
        stack.push_async_callback(refusals.close)
        tracer = _tracer(settings, metrics)
        stack.push_async_callback(tracer.close)
        governor = Governor(
            policies=source,
            audit=audit,
            refusals=refusals,
            tracer=tracer,
            approvals_act=settings.edition is not Edition.COMMUNITY,
            keep_input=settings.record_input == "redacted",
            org_id=settings.org_id,
        )
        stack.callback(governor.close)
        session = await stack.enter_async_context(_session(settings))
        verifying = (secret, settings.internal_secret_previous) if settings.internal_secret_previous else (secret,)
        door = Door(
            Authenticator(
                mode=settings.mode,
                org_id=settings.org_id,
                credentials=clients_snapshot,
                user_tokens=UserTokenVerifier(settings.jwt_secret),
            ),
            RateLimiter(database),
            default_limit=settings.rate_limit_per_minute,
            internal=TokenVerifier(verifying, NAME, NonceLedger(database, NAME)),
            max_body_bytes=settings.max_body_bytes,
        )
        yield Agent(
            settings=settings,
            database=database,
            session=session,
            minter=TokenMinter(secret, NAME),
            policies=source,
            audit=audit,
            governor=governor,
            door=door,
            metrics=metrics,
            posture=posture,
        )


def create_app(agent: Agent) -> ASGIApp:
    """The agent's URL table, in the middleware that all services share."""
    settings = agent.settings
    health = HealthEndpoints(agent.policies, agent.audit, agent.lifecycle, agent.metrics, settings.edition)
    chat = openai.ChatEndpoint(
        door=agent.door,
        service=_chat_service(agent),
        governor=agent.governor,
        metrics=agent.metrics,
        max_body_bytes=settings.max_body_bytes,
    )
    routes = [
        Route("/health", health.health, methods=["GET"]),
        Route("/ready", health.ready, methods=["GET"]),
        Route("/prometheus", health.prometheus, methods=["GET"]),
        Route(openai.PATH, chat.answer, methods=["POST"]),
        *clients.routes(ClientService(agent.database, settings.org_id), settings.admin_api_key, settings.edition),
        *policies.routes(agent.door, PolicyReader(agent.database, _in_force(agent.policies), agent.posture)),
    ]
    app = application(
        routes,
        surface_of=_surface_of,
        # Routing over the whole table costs 40 µs; the hot path does not pay it.
        hot={("POST", openai.PATH): request_response(chat.answer)},
        drop=is_identity_header,
        on_refusal=_record_refusal(agent.governor),
    )
    return Correlation(app, _PLANES.get)


def _surface_of(path: str) -> Surface:
    if path.startswith("/v1/"):
        return Surface.OPENAI
    if path.startswith("/api/v1/"):
        return Surface.MIDDLEWARE
    return Surface.HANDLER


def _record_refusal(governor: Governor) -> OnRefusal:
    async def record(scope: Scope, fault: Fault) -> None:
        if scope["path"] in _PLANES:
            address = scope["client"][0] if scope.get("client") else ""
            refusal = Refusal(status=fault.status, reason="malformed", message=fault.message, address=address)
            await governor.refuse(exchange_of(scope), refusal)

    return record


def _in_force(source: PolicySource) -> Callable[[], Mapping[str, Policy]]:
    return lambda: {policy.id: policy for policy in source.current.policies} if source.current else {}


def _chat_service(agent: Agent) -> ChatService:
    settings = agent.settings
    upstream = Upstream(
        agent.session,
        settings.openai_base,
        timeout_s=settings.upstream_timeout_s,
        max_bytes=settings.upstream_max_bytes,
    )
    return ChatService(governor=agent.governor, upstream=upstream, prices=default_prices())


def _posture(settings: AgentSettings) -> Posture:
    if settings.gateway_policies_enabled:
        return settings.gateway_posture
    logger.warning("GATEWAY_STATIC_POLICIES_ENABLED=false: gateway calls are recorded, and none is judged")
    every = frozenset(policy.category for policy in catalogue())
    return msgspec.structs.replace(settings.gateway_posture, skip_categories=every)


def _session(settings: AgentSettings) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        auto_decompress=False,
        connector=aiohttp.TCPConnector(limit=settings.upstream_connections),
        timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=_CONNECT_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _tracer(settings: AgentSettings, metrics: Metrics) -> DecisionTracer:
    return DecisionTracer(
        settings.otel_endpoint,
        service=settings.otel_service_name or SERVICE,
        version=platform_version(),
        metrics=metrics,
        sample_rate=settings.otel_sample_rate,
        environment=settings.environment,
    )


async def _bootstrap(settings: AgentSettings, database: Database) -> None:
    if settings.bootstrap_client is not None:
        client_id, secret = settings.bootstrap_client
        await ClientService(database, settings.org_id).bootstrap(client_id, secret)
