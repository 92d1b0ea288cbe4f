"""The composition root: `open_portal` opens what pages need, `create_app` holds the URL table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
from aiohttp import ClientSession
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Surface
from axonflow_contracts.version import platform_version
from axonflow_database import Database, internal_secret
from axonflow_internal_auth import TokenMinter
from axonflow_settings import Secret
from axonflow_web import Lifecycle, application
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from axonflow_portal.api.health import health, ready
from axonflow_portal.api.policies import unified_policies
from axonflow_portal.backends import AgentPolicies, client_session
from axonflow_portal.exchange import Backend
from axonflow_portal.hosts import LoopbackHosts
from axonflow_portal.pages.endpoints import message_page, policies_page, policy_page
from axonflow_portal.pages.render import STATIC, Frame, Templates, style_version
from axonflow_portal.record.endpoints import routes as record_routes
from axonflow_portal.record.reading import RecordReader
from axonflow_portal.security import PAGE_HEADERS
from axonflow_portal.settings import PortalSettings


@dataclass(frozen=True, slots=True)
class Portal:
    """The live objects that the pages use."""

    settings: PortalSettings
    agent: AgentPolicies
    record: RecordReader
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
        minter, templates = _minter(secret), Templates(_frame(settings))
        agent = AgentPolicies(session, settings.agent_url, minter, _reader(settings), settings.backend_timeout_s)
        yield Portal(settings, agent, _record(settings, session, minter), templates)


def _minter(secret: Secret) -> TokenMinter:
    return TokenMinter(secret, "portal")


def _reader(settings: PortalSettings) -> Caller:
    # Nobody is signed in yet, so a page is read for the deployment's own organisation.
    return Caller(org_id=settings.org_id, tenant_id=settings.org_id, client_id="portal", kind=CallerKind.SERVICE)


def _record(settings: PortalSettings, session: ClientSession, minter: TokenMinter) -> RecordReader:
    # Without a tenant: an operator reads the record of the whole organisation.
    caller = msgspec.structs.replace(_reader(settings), tenant_id="")

    def backend(name: str, variable: str, base_url: str) -> Backend:
        return Backend(
            session=session,
            name=name,
            variable=variable,
            base_url=base_url,
            minter=minter,
            caller=caller,
            timeout_s=settings.backend_timeout_s,
        )

    return RecordReader(
        orchestrator=backend("orchestrator", "ORCHESTRATOR_URL", settings.orchestrator_url),
        agent=backend("agent", "AGENT_URL", settings.agent_url),
    )


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
        return message_page(templates, 404, "There is no such page", "The address leads nowhere in this portal.", "")

    return [
        *record_routes(portal.record, templates),
        Route("/policies", list_page),
        Route("/policies/{policy_id}", one_page),
        Route("/api/v1/portal/policies", list_json),
        Route("/health", health_json),
        Route("/ready", ready_json),
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/{path:path}", nothing_here),
    ]
