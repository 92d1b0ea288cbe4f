"""The composition root: `open_orchestrator` opens what it needs in reading order, `create_app` holds the URL table."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from functools import partial

from axonflow_database import Database, internal_secret
from axonflow_guards import NonceLedger
from axonflow_internal_auth import InternalAuth, TokenVerifier
from axonflow_telemetry import Metrics
from axonflow_web import Lifecycle, application, read_body
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from axonflow_orchestrator.families import NotLanded, is_always_signed, surface_of
from axonflow_orchestrator.health import HealthEndpoints
from axonflow_orchestrator.settings import OrchestratorSettings

AUDIENCE = "orchestrator"
OPEN_PATHS = frozenset({"/health", "/ready", "/prometheus"})


@dataclasses.dataclass(frozen=True, slots=True)
class Orchestrator:
    """The live objects of one orchestrator process."""

    settings: OrchestratorSettings
    database: Database
    verifier: TokenVerifier
    metrics: Metrics
    lifecycle: Lifecycle


@contextlib.asynccontextmanager
async def open_orchestrator(settings: OrchestratorSettings) -> AsyncIterator[Orchestrator]:
    """Open pools and secrets; the schema must have been migrated.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer, or holds no internal secret.
    """
    database = await Database.open(settings)
    try:
        secret = await internal_secret(settings, database)
        previous = settings.internal_secret_previous
        verifier = TokenVerifier(
            (secret,) if previous is None else (secret, previous), AUDIENCE, NonceLedger(database, AUDIENCE)
        )
        yield Orchestrator(settings, database, verifier, Metrics(), Lifecycle())
    finally:
        await database.close()


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
        Route("/{path:path}", NotLanded()),
    ]
    return application(routes, surface_of=surface_of, guard=guard)
