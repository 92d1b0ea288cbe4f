"""HTTP of drafts."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_governance.inputs import InputSealer
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from axonflow_orchestrator import callers
from axonflow_orchestrator.drafts.bodies import DraftBody
from axonflow_orchestrator.drafts.service import DraftRunner
from axonflow_orchestrator.questions import answered, read_json
from axonflow_orchestrator.resources import Orchestrator
from axonflow_orchestrator.settings import OrchestratorSettings

LARGEST_BODY = 262_144


@dataclass(frozen=True, slots=True)
class DraftEndpoints:
    """A draft run over recorded traffic."""

    settings: OrchestratorSettings
    runner: DraftRunner

    async def run(self, request: Request) -> Response:
        """``POST /api/v1/decisions/drafts``: one page; nothing is stored."""
        body = await read_json(request, DraftBody, LARGEST_BODY)
        caller = callers.caller_of(request, self.settings)
        readable = callers.readable_by(caller, self.settings)
        return Response(
            answered(await self.runner.run(body, readable, caller.tenant_id)), media_type="application/json"
        )


def routes(orchestrator: Orchestrator) -> list[BaseRoute]:
    """The family's URL table."""
    runner = DraftRunner(orchestrator.database, InputSealer(orchestrator.sealer), orchestrator.sets)
    endpoints = DraftEndpoints(orchestrator.settings, runner)
    return [Route("/api/v1/decisions/drafts", endpoints.run, methods=["POST"])]
