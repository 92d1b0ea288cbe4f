"""The agent's URL table, in the middleware that all services share."""

from __future__ import annotations

from http import HTTPStatus

from axonflow_contracts.errors import Fault, Surface
from axonflow_contracts.verdicts import Plane
from axonflow_governance import Governor, Refusal
from axonflow_internal_auth import is_identity_header
from axonflow_pricing import default_prices
from axonflow_web import application
from axonflow_web.faults import OnRefusal
from starlette.routing import BaseRoute, Route, request_response
from starlette.types import ASGIApp, Scope

from axonflow_agent import forward
from axonflow_agent.clients import endpoints as clients
from axonflow_agent.clients.service import ClientService
from axonflow_agent.correlation import Correlation, exchange_of, is_governed
from axonflow_agent.health import HealthEndpoints
from axonflow_agent.openai import endpoints as openai
from axonflow_agent.openai.service import ChatService
from axonflow_agent.policies import routes as policies
from axonflow_agent.resources import Agent
from axonflow_agent.upstream import Upstream

# Paths whose every answer, a refusal of any kind included, carries a decision id and leaves a row.
GOVERNED = {openai.PATH: Plane.OPENAI}


def create_app(agent: Agent) -> ASGIApp:
    """The agent as an ASGI application."""
    settings = agent.settings
    health = HealthEndpoints(agent.policies, agent.audit, agent.lifecycle, agent.metrics, settings.edition)
    chat = _chat(agent)
    routes: list[BaseRoute] = [
        Route("/health", health.health, methods=["GET"]),
        Route("/ready", health.ready, methods=["GET"]),
        Route("/prometheus", health.prometheus, methods=["GET"]),
        Route(openai.PATH, chat.answer, methods=["POST"]),
        *clients.routes(ClientService(agent.database, settings.org_id), settings.admin_api_key, settings.edition),
        *policies.routes(agent.door, _policies(agent)),
        *forward.routes(_forwarder(agent), agent.door.enter),
    ]
    app = application(
        routes,
        surface_of=_surface_of,
        # Routing over the whole table costs 40 µs; the hot path does not pay it.
        hot={("POST", openai.PATH): request_response(chat.answer)},
        drop=is_identity_header,
        on_refusal=_record_refusal(agent.governor),
    )
    return Correlation(app, GOVERNED.get)


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
        service=ChatService(governor=agent.governor, upstream=upstream, prices=default_prices()),
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
    if forward.is_forwarded(path):
        return Surface.FLAT
    return Surface.MIDDLEWARE if path.startswith("/api/v1/") else Surface.HANDLER


def _record_refusal(governor: Governor) -> OnRefusal:
    async def record(scope: Scope, fault: Fault) -> None:
        if is_governed(scope):
            address = scope["client"][0] if scope.get("client") else ""
            reason = "wrong_method" if fault.status == HTTPStatus.METHOD_NOT_ALLOWED else "malformed"
            refusal = Refusal(status=fault.status, reason=reason, message=fault.message, address=address)
            await governor.refuse(exchange_of(scope), refusal)

    return record
