"""The agent's URL table, in the middleware that all services share."""

from __future__ import annotations

from http import HTTPStatus

from axonflow_audit import Place
from axonflow_contracts.errors import Fault, Surface
from axonflow_contracts.verdicts import Plane
from axonflow_governance import Governor, Refusal
from axonflow_governance.changes import ChangeRecord
from axonflow_guards import IdempotencyKeys
from axonflow_internal_auth import is_identity_header
from axonflow_settings import Edition
from axonflow_web import Cors, application
from axonflow_web.faults import OnRefusal
from starlette.routing import BaseRoute, Route, request_response
from starlette.types import ASGIApp, Scope

from axonflow_agent import forward
from axonflow_agent.breaker import endpoints as breaker
from axonflow_agent.breaker.service import CircuitService
from axonflow_agent.clients import endpoints as clients
from axonflow_agent.clients.service import ClientService
from axonflow_agent.connectors.calling import Caller as ConnectorCaller
from axonflow_agent.connectors.endpoints import CACHE_PATHS, ConnectorEndpoints
from axonflow_agent.connectors.federated import FederatedTools
from axonflow_agent.connectors.permissions import guarding_changes
from axonflow_agent.connectors.planes import ConnectorPlanes
from axonflow_agent.connectors.sources import ConnectorSources
from axonflow_agent.correlation import Correlation, exchange_of, is_governed
from axonflow_agent.decision.context import ContextAllowlist
from axonflow_agent.decision.plane import PATH as DECIDE_PATH
from axonflow_agent.decision.plane import DecisionPlane
from axonflow_agent.gateway.gaps import GapEndpoint
from axonflow_agent.gateway.precheck import PreCheckPlane
from axonflow_agent.gateway.report import ReportPlane
from axonflow_agent.governed import Adapter, Governed, GovernedRoute, correlated
from axonflow_agent.health import HealthEndpoints
from axonflow_agent.mcp import planes as mcp
from axonflow_agent.mcp.checks import Checks
from axonflow_agent.mcp.exfiltration import Limits
from axonflow_agent.mcp.repeats import Repeats
from axonflow_agent.mcp_server import plane as mcp_server
from axonflow_agent.mcp_server.sessions import Sessions
from axonflow_agent.mcp_server.tools import Toolbox
from axonflow_agent.mcp_server.transport import quiet
from axonflow_agent.openai import endpoints as openai
from axonflow_agent.openai.service import ChatService
from axonflow_agent.orchestrator import Orchestrator
from axonflow_agent.policies import routes as policies
from axonflow_agent.resources import Agent
from axonflow_agent.upstream import Upstream


def create_app(agent: Agent) -> ASGIApp:
    """The agent as an ASGI application."""
    routes = routes_of(agent)
    governed = [route for route in routes if isinstance(route, GovernedRoute)]
    app = application(
        routes,
        surface_of=_surface_of,
        # Routing over the whole table costs 40 µs; the hot paths do not pay it.
        hot={(route.method, route.path): request_response(route.endpoint) for route in governed},
        drop=is_identity_header,
        on_refusal=_record_refusal(agent.governor),
    )
    return Cors(Correlation(app, {route.path: route.plane for route in governed}.get), agent.settings.cors_origins)


def routes_of(agent: Agent) -> list[BaseRoute]:
    """The URL table; its `GovernedRoute`s are the planes."""
    settings = agent.settings
    health = HealthEndpoints(agent.policies, agent.audit, agent.lifecycle, agent.metrics, settings.edition)
    governed = _governed(agent, agent.governor)
    governed_mcp = _governed(agent, agent.mcp_governor)
    checks = _checks(agent)
    return [
        Route("/health", health.health, methods=["GET"]),
        Route("/ready", health.ready, methods=["GET"]),
        Route("/metrics", health.snapshot, methods=["GET"]),
        Route("/prometheus", health.prometheus, methods=["GET"]),
        GovernedRoute(openai.PATH, _chat(agent).answer, Plane.OPENAI),
        *(governed.route(adapter) for adapter in _adapters(agent, checks)),
        *(governed_mcp.route(adapter) for adapter in _check_planes(agent, checks).adapters()),
        *_mcp_server(agent, governed_mcp, checks).routes(),
        *(governed_mcp.route(adapter) for adapter in _connector_planes(agent, checks).adapters()),
        *ConnectorEndpoints(agent.connectors, agent.door.enter_or_service).routes(),
        GapEndpoint(agent.door.enter_or_service, agent.database, settings.limits.audit_retention_days).route(),
        *clients.routes(ClientService(agent.database, settings.org_id), settings.admin_api_key, settings.edition),
        *policies.routes(agent.door, _policies(agent)),
        *breaker.routes(
            agent.door.enter,
            agent.door.enter_or_service,
            agent.door.permissions_of,
            _circuits(agent),
            settings.edition,
        ),
        *forward.routes(_forwarder(agent), guarding_changes(agent.door.enter, agent.door.permissions_of)),
    ]


def _adapters(agent: Agent, checks: Checks) -> list[Adapter]:
    settings = agent.settings
    report = ReportPlane(
        agent.metrics,
        agent.database,
        settings.prices,
        rows_wait=lambda: agent.audit.place is not Place.POSTGRES,
        rows_are_late=settings.audit_async,
    )
    decide = DecisionPlane(
        agent.metrics, settings.decision_expires_after_s, ContextAllowlist(settings.decision_context_allowlist)
    )
    sources = ConnectorSources(checks, _connector_caller(agent, checks), agent.door.permissions_of)
    return [PreCheckPlane(agent.metrics, sources).adapter(), report.adapter(), decide.adapter()]


def _governed(agent: Agent, governor: Governor) -> Governed:
    return Governed(
        door=agent.door, governor=governor, metrics=agent.metrics, max_body_bytes=agent.settings.max_body_bytes
    )


def _checks(agent: Agent) -> Checks:
    """What every MCP plane judges with; its calls come from a `Governed` over the governor of these planes."""
    settings = agent.settings
    limits = Limits(settings.mcp_max_rows, settings.mcp_max_bytes) if settings.mcp_exfiltration else Limits(0, 0)
    return Checks(limits)


def _connector_planes(agent: Agent, checks: Checks) -> ConnectorPlanes:
    return ConnectorPlanes(checks, _connector_caller(agent, checks), agent.door.permissions_of)


def _connector_caller(agent: Agent, checks: Checks) -> ConnectorCaller:
    return ConnectorCaller(agent.connectors, checks.limits, agent.metrics.performance)


def _check_planes(agent: Agent, checks: Checks) -> mcp.CheckPlanes:
    overrides_act = agent.settings.edition is Edition.ENTERPRISE
    return mcp.CheckPlanes(checks, Repeats(IdempotencyKeys(agent.database)), overrides_act)


def _mcp_server(agent: Agent, governed: Governed, checks: Checks) -> mcp_server.McpServerPlane:
    quiet()
    orchestrator = Orchestrator(agent.siblings, agent.minter, agent.settings.orchestrator_url)
    overrides_act = agent.settings.edition is Edition.ENTERPRISE
    caller = _connector_caller(agent, checks)
    federated = FederatedTools(checks, caller, agent.door.permissions_of)
    toolbox = Toolbox(checks, _policies(agent).reader, orchestrator, overrides_act, federated)
    return mcp_server.McpServerPlane(governed, toolbox, Sessions(agent.database), agent.settings.cors_origins)


def _chat(agent: Agent) -> openai.ChatEndpoint:
    settings = agent.settings
    upstream = Upstream(
        agent.upstream,
        settings.openai_base,
        timeout_s=settings.upstream_timeout_s,
        max_bytes=settings.upstream_max_bytes,
    )
    return openai.ChatEndpoint(
        door=agent.door,
        service=ChatService(governor=agent.governor, upstream=upstream, prices=settings.prices, metrics=agent.metrics),
        governor=agent.governor,
        metrics=agent.metrics,
        max_body_bytes=settings.max_body_bytes,
    )


def _policies(agent: Agent) -> policies.PolicyServices:
    settings = agent.settings
    return policies.PolicyServices.of(
        database=agent.database,
        source=agent.policies,
        posture=agent.posture,
        audit=agent.audit,
        edition=settings.edition,
        limits=settings.limits,
        strict_overrides=settings.override_strict,
        max_body_bytes=settings.max_body_bytes,
    )


def _circuits(agent: Agent) -> CircuitService:
    return CircuitService(agent.database, agent.breaker, ChangeRecord(agent.audit))


def _forwarder(agent: Agent) -> forward.Forwarder:
    settings = agent.settings
    return forward.Forwarder(
        session=agent.siblings,
        minter=agent.minter,
        urls={
            forward.Target.ORCHESTRATOR: settings.orchestrator_url,
            forward.Target.PORTAL: settings.portal_url,
        },
        org_id=settings.org_id,
        max_body_bytes=settings.max_body_bytes,
    )


def _surface_of(path: str) -> Surface:
    if path.startswith("/v1/"):
        return Surface.OPENAI
    if path == DECIDE_PATH:
        return Surface.DECIDE
    if path in {mcp.INPUT_PATH, mcp.OUTPUT_PATH}:
        return Surface.MCP_CHECK
    if path == mcp_server.PATH:
        return Surface.JSON_RPC
    own = path.startswith(CACHE_PATHS)  # below a prefix whose rest is forwarded
    if forward.is_forwarded(path) and not own:
        return Surface.FLAT
    return Surface.MIDDLEWARE if path.startswith("/api/v1/") and not own else Surface.HANDLER


def _record_refusal(governor: Governor) -> OnRefusal:
    async def record(scope: Scope, fault: Fault) -> None:
        if is_governed(scope):
            address = scope["client"][0] if scope.get("client") else ""
            reason = "wrong_method" if fault.status == HTTPStatus.METHOD_NOT_ALLOWED else "malformed"
            refusal = Refusal(status=fault.status, reason=reason, message=fault.message, address=address)
            exchange = exchange_of(scope)
            await governor.refuse(exchange, refusal)
            correlated(_surface_of(scope["path"]), exchange, fault)

    return record
