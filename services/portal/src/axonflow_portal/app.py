"""The composition root: `open_portal` opens what pages need, `create_app` holds the URL table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Surface
from axonflow_contracts.version import platform_version
from axonflow_database import Database, internal_secret
from axonflow_internal_auth import TokenMinter
from axonflow_settings import Secret
from axonflow_web import Lifecycle, application
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from axonflow_portal.api.health import health, ready
from axonflow_portal.api.policies import unified_policies
from axonflow_portal.backends import AgentPolicies, client_session
from axonflow_portal.hosts import LoopbackHosts
from axonflow_portal.pages.endpoints import message_page, policies_page, policy_page
from axonflow_portal.pages.render import STATIC, Frame, Templates, style_version
from axonflow_portal.security import PAGE_HEADERS
from axonflow_portal.settings import PortalSettings


@dataclass(frozen=True, slots=True)
class Portal:
    """The live objects that the pages use."""

    settings: PortalSettings
    agent: AgentPolicies
    templates: Templates
    lifecycle: Lifecycle = field(default_factory=Lifecycle)


@asynccontextmanager
async def open_portal(settings: PortalSettings) -> AsyncIterator[Portal]:
    """Open the portal's resources and close them again.

    PostgreSQL is asked for the shared secret once (community keeps it there) and then let go: pages read over HTTP.
    """
    database = await Database.open(settings)
    try:
        secret = await internal_secret(settings, database)
    finally:
        await database.close()
    async with client_session() as session:
        agent = AgentPolicies(
            session, settings.agent_url, _minter(secret), _reader(settings), settings.backend_timeout_s
        )
        yield Portal(settings, agent, Templates(_frame(settings)))


def _minter(secret: Secret) -> TokenMinter:
    return TokenMinter(secret, "portal")


def _reader(settings: PortalSettings) -> Caller:
    # Nobody is signed in yet, so a page is read for the deployment's own organisation.
    return Caller(org_id=settings.org_id, tenant_id=settings.org_id, client_id="portal", kind=CallerKind.SERVICE)


def _frame(settings: PortalSettings) -> Frame:
    return Frame(
        org_id=settings.org_id,
        mode=settings.mode.value,
        version=platform_version(),
        allowed_hosts=settings.allowed_hosts,
        style_version=style_version(),
    )


def create_app(portal: Portal) -> ASGIApp:
    """The portal as an ASGI application."""
    return application(
        _routes(portal),
        surface_of=lambda _path: Surface.NESTED,
        guard=lambda inner: LoopbackHosts(inner, portal.settings.allowed_hosts),
        headers=PAGE_HEADERS,
    )


def _routes(portal: Portal) -> list[BaseRoute]:
    source, templates = portal.agent, portal.templates

    async def home(_: Request) -> Response:
        return RedirectResponse("/policies", 307)

    async def list_page(request: Request) -> Response:
        return await policies_page(request, source, templates)

    async def one_page(request: Request) -> Response:
        return await policy_page(request, source, templates)

    async def list_json(request: Request) -> Response:
        return await unified_policies(request, source)

    async def health_json(_: Request) -> Response:
        return await health(source)

    async def ready_json(_: Request) -> Response:
        return await ready(source, portal.settings.orchestrator_url, portal.lifecycle)

    async def nothing_here(request: Request) -> Response:
        if request.url.path.startswith("/api/"):
            raise HTTPException(404)
        return message_page(templates, 404, "There is no such page", "The address leads nowhere in this portal.")

    return [
        Route("/", home),
        Route("/policies", list_page),
        Route("/policies/{policy_id}", one_page),
        Route("/api/v1/portal/policies", list_json),
        Route("/health", health_json),
        Route("/ready", ready_json),
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/{path:path}", nothing_here),
    ]
