"""The orchestrator's URL table."""

from __future__ import annotations

from functools import partial

from axonflow_internal_auth import InternalAuth
from axonflow_web import application, read_body
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from axonflow_orchestrator.audit.endpoints import routes as audit_routes
from axonflow_orchestrator.chains.endpoints import routes as chain_routes
from axonflow_orchestrator.connectors.endpoints import routes as connector_routes
from axonflow_orchestrator.decisions.endpoints import routes as decision_routes
from axonflow_orchestrator.drafts.endpoints import routes as draft_routes
from axonflow_orchestrator.families import NotLanded, is_always_signed, surface_of
from axonflow_orchestrator.health import HealthEndpoints
from axonflow_orchestrator.media.endpoints import routes as media_routes
from axonflow_orchestrator.providers.endpoints import routes as provider_routes
from axonflow_orchestrator.replay.endpoints import routes as replay_routes
from axonflow_orchestrator.resources import Orchestrator
from axonflow_orchestrator.routing.endpoints import routes as routing_routes
from axonflow_orchestrator.tenant_policies.routes import routes as policy_routes
from axonflow_orchestrator.tool_locks.endpoints import routes as tool_lock_routes

OPEN_PATHS = frozenset({"/health", "/ready", "/prometheus"})


def create_app(orchestrator: Orchestrator) -> ASGIApp:
    """The orchestrator as an ASGI application."""
    settings = orchestrator.settings
    probes = HealthEndpoints(orchestrator.database, orchestrator.lifecycle, orchestrator.metrics)
    community = not settings.mode.asks_for_credentials

    def guard(inner: ASGIApp) -> ASGIApp:
        return InternalAuth(
            inner,
            orchestrator.verifier,
            read_body=partial(read_body, limit=settings.max_body_bytes),
            is_open=OPEN_PATHS.__contains__,
            is_optional=lambda path: community and not is_always_signed(path),
        )

    routes: list[BaseRoute] = [
        Route("/health", probes.health),
        Route("/ready", probes.ready),
        Route("/prometheus", probes.prometheus),
        *audit_routes(orchestrator),
        *decision_routes(orchestrator),
        *chain_routes(orchestrator),
        *replay_routes(orchestrator),
        *draft_routes(orchestrator),
        *media_routes(orchestrator),
        *tool_lock_routes(orchestrator),
        *policy_routes(orchestrator),
        *connector_routes(orchestrator, orchestrator.connectors, orchestrator.sealer),
        *routing_routes(orchestrator),  # before the providers', where `routing` would be a name
        *provider_routes(orchestrator, orchestrator.providers),
        Route("/{path:path}", NotLanded()),
    ]
    return application(routes, surface_of=surface_of, guard=guard)
