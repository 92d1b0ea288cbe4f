"""HTTP of decisions (orchestrator contract section 1.13)."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from axonflow_orchestrator import callers
from axonflow_orchestrator.decisions.explaining import Explainer
from axonflow_orchestrator.decisions.listing import DecisionLister, DecisionQuery
from axonflow_orchestrator.questions import answered, from_query
from axonflow_orchestrator.resources import Orchestrator
from axonflow_orchestrator.settings import OrchestratorSettings


@dataclass(frozen=True, slots=True)
class DecisionEndpoints:
    """The list, and one decision explained."""

    settings: OrchestratorSettings
    lister: DecisionLister
    explainer: Explainer

    async def list(self, request: Request) -> Response:
        """``GET /api/v1/decisions``."""
        asked = from_query(request.query_params, DecisionQuery)
        return _json(await self.lister.page(asked, self._readable(request)))

    async def explain(self, request: Request) -> Response:
        """``GET /api/v1/decisions/{id}/explain``."""
        return _json(await self.explainer.explain(request.path_params["id"], self._readable(request)))

    def _readable(self, request: Request) -> callers.Readable:
        return callers.readable_by(callers.caller_of(request, self.settings), self.settings)


def routes(orchestrator: Orchestrator) -> list[BaseRoute]:
    """The family's URL table."""
    settings, database = orchestrator.settings, orchestrator.database
    endpoints = DecisionEndpoints(settings, DecisionLister(database, settings.limits), Explainer(database))
    return [
        Route("/api/v1/decisions", endpoints.list, methods=["GET"]),
        Route("/api/v1/decisions/{id}/explain", endpoints.explain, methods=["GET"]),
    ]


def _json(body: object) -> Response:
    return Response(answered(body), media_type="application/json")
