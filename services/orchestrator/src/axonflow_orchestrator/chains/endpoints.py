"""HTTP of decision chains (orchestrator contract section 3.6)."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from axonflow_orchestrator import callers
from axonflow_orchestrator.chains.service import ChainReader
from axonflow_orchestrator.questions import answered
from axonflow_orchestrator.resources import Orchestrator
from axonflow_orchestrator.settings import OrchestratorSettings


@dataclass(frozen=True, slots=True)
class ChainEndpoints:
    """The chain of a decision, and those of a trace."""

    settings: OrchestratorSettings
    reader: ChainReader

    async def of_decision(self, request: Request) -> Response:
        """``GET /api/v1/decisions/{id}/chain``."""
        return _json(await self.reader.of_decision(request.path_params["id"], self._readable(request)))

    async def of_trace(self, request: Request) -> Response:
        """``GET /api/v1/audit/chain/{trace_id}``."""
        return _json(await self.reader.of_trace(request.path_params["trace_id"], self._readable(request)))

    def _readable(self, request: Request) -> callers.Readable:
        return callers.readable_by(callers.caller_of(request, self.settings), self.settings)


def routes(orchestrator: Orchestrator) -> list[BaseRoute]:
    """The family's URL table."""
    endpoints = ChainEndpoints(orchestrator.settings, ChainReader(orchestrator.database))
    return [
        Route("/api/v1/decisions/{id}/chain", endpoints.of_decision, methods=["GET"]),
        Route("/api/v1/audit/chain/{trace_id}", endpoints.of_trace, methods=["GET"]),
    ]


def _json(body: object) -> Response:
    return Response(answered(body), media_type="application/json")
