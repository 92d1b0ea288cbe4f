"""HTTP of the tool lockfile, below the connector family."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_contracts.caller import CallerKind
from axonflow_contracts.errors import Fault
from axonflow_contracts.tool_locks import OBSERVED_PATH, Observation
from axonflow_governance.changes import Author
from axonflow_web import TRACE
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from axonflow_orchestrator import callers
from axonflow_orchestrator.questions import answered, read_json
from axonflow_orchestrator.resources import Orchestrator
from axonflow_orchestrator.settings import OrchestratorSettings
from axonflow_orchestrator.tool_locks.changes import LockChanges
from axonflow_orchestrator.tool_locks.records import Verdict
from axonflow_orchestrator.tool_locks.service import ToolLockService

LARGEST_OBSERVATION = 4 << 20
LARGEST_VERDICT = 16_384
BASE = "/api/v1/connectors/{id}/tools"


@dataclass(frozen=True, slots=True)
class ToolLockEndpoints:
    """Tools of installed MCP connectors, and decisions on them."""

    settings: OrchestratorSettings
    service: ToolLockService

    async def list(self, request: Request) -> Response:
        """``GET /api/v1/connectors/{id}/tools``."""
        return _json(await self.service.list(request.path_params["id"], callers.caller_of(request, self.settings)))

    async def diff(self, request: Request) -> Response:
        """``GET /api/v1/connectors/{id}/tools/{tool}/diff``."""
        caller = callers.caller_of(request, self.settings)
        return _json(await self.service.diff(request.path_params["id"], request.path_params["tool"], caller))

    async def accept(self, request: Request) -> Response:
        """``POST /api/v1/connectors/{id}/tools/{tool}/accept``."""
        verdict = await read_json(request, Verdict, LARGEST_VERDICT)
        key, tool = request.path_params["id"], request.path_params["tool"]
        return _json(await self.service.accept(key, tool, verdict, self._author(request)))

    async def reject(self, request: Request) -> Response:
        """``POST /api/v1/connectors/{id}/tools/{tool}/reject``."""
        verdict = await read_json(request, Verdict, LARGEST_VERDICT)
        key, tool = request.path_params["id"], request.path_params["tool"]
        return _json(await self.service.reject(key, tool, verdict, self._author(request)))

    async def observed(self, request: Request) -> Response:
        """``POST /api/v1/internal/connectors/tools``: from the agent alone, which acts as a service."""
        caller = callers.caller_of(request, self.settings)
        if caller.kind is not CallerKind.SERVICE or not caller.tenant_id:
            raise Fault(403, "Only a service of this deployment reports tools, for one tenant")
        return _json(await self.service.observe(await read_json(request, Observation, LARGEST_OBSERVATION), caller))

    def _author(self, request: Request) -> Author:
        trace = request.scope.get(TRACE)
        return Author(callers.caller_of(request, self.settings), trace.trace_id if trace is not None else "")


def routes(orchestrator: Orchestrator) -> list[BaseRoute]:
    """The family's URL table."""
    service = ToolLockService(orchestrator.database, LockChanges(orchestrator.audit))
    endpoints = ToolLockEndpoints(orchestrator.settings, service)
    return [
        Route(BASE, endpoints.list, methods=["GET"]),
        Route(f"{BASE}/{{tool}}/diff", endpoints.diff, methods=["GET"]),
        Route(f"{BASE}/{{tool}}/accept", endpoints.accept, methods=["POST"]),
        Route(f"{BASE}/{{tool}}/reject", endpoints.reject, methods=["POST"]),
        Route(OBSERVED_PATH, endpoints.observed, methods=["POST"]),
    ]


def _json(body: object) -> Response:
    return Response(answered(body), 200, media_type="application/json")
