"""HTTP of routing: how providers stand, and how calls are shared among them (orchestrator contract §1.1, §1.7)."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_governance.changes import Author
from axonflow_web import TRACE
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from axonflow_orchestrator import callers
from axonflow_orchestrator.questions import answered, read_json
from axonflow_orchestrator.resources import Orchestrator
from axonflow_orchestrator.routing.changing import RoutingBody, RoutingService
from axonflow_orchestrator.settings import OrchestratorSettings

LARGEST_BODY = 65_536


@dataclass(frozen=True, slots=True)
class RoutingEndpoints:
    """The family's calls."""

    settings: OrchestratorSettings
    service: RoutingService

    async def status(self, request: Request) -> Response:
        """``GET /api/v1/providers/status``."""
        caller = callers.caller_of(request, self.settings)
        whole = callers.readable_by(caller, self.settings).tenant_id is None
        return _json(await self.service.router.statuses(caller.org_id, caller.tenant_id, whole=whole))

    async def set_shares(self, request: Request) -> Response:
        """``PUT /api/v1/providers/weights``."""
        author = self._author(request)
        return _json(await self.service.set_shares(await read_json(request, dict[str, float], LARGEST_BODY), author))

    async def routing(self, request: Request) -> Response:
        """``GET /api/v1/llm-providers/routing``."""
        return _json(await self.service.routing(callers.caller_of(request, self.settings)))

    async def set_weights(self, request: Request) -> Response:
        """``PUT /api/v1/llm-providers/routing``."""
        author = self._author(request)
        return _json(await self.service.set_weights(await read_json(request, RoutingBody, LARGEST_BODY), author))

    def _author(self, request: Request) -> Author:
        trace = request.scope.get(TRACE)
        return Author(callers.caller_of(request, self.settings), trace.trace_id if trace is not None else "")


def routes(orchestrator: Orchestrator) -> list[BaseRoute]:
    """The family's URL table; it comes before the providers' own, whose names are what stands after the slash."""
    open_to_all = not orchestrator.settings.mode.asks_for_credentials
    service = RoutingService(orchestrator.database, orchestrator.audit, orchestrator.router, open_to_all)
    endpoints = RoutingEndpoints(orchestrator.settings, service)
    return [
        Route("/api/v1/providers/status", endpoints.status, methods=["GET"]),
        Route("/api/v1/providers/weights", endpoints.set_shares, methods=["PUT"]),
        Route("/api/v1/llm-providers/routing", endpoints.routing, methods=["GET"]),
        Route("/api/v1/llm-providers/routing", endpoints.set_weights, methods=["PUT"]),
    ]


def _json(body: object) -> Response:
    return Response(answered(body), 200, media_type="application/json")
