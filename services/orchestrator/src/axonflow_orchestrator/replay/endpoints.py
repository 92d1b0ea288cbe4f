"""HTTP of replays and of the recording setting."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_contracts.recording import InputMode
from axonflow_governance.inputs import InputSealer
from axonflow_web import TRACE
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from axonflow_orchestrator import callers
from axonflow_orchestrator.questions import answered, read_json
from axonflow_orchestrator.replay.recording import ModeChange, RecordingSettings
from axonflow_orchestrator.replay.service import Against, Replayer
from axonflow_orchestrator.resources import Orchestrator
from axonflow_orchestrator.settings import OrchestratorSettings

LARGEST_BODY = 4096


class ReplayBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a replay; an empty one asks for the set that decided."""

    against: str | None = None


@dataclass(frozen=True, slots=True)
class ReplayEndpoints:
    """A decision made again, and what is kept so that it can be."""

    settings: OrchestratorSettings
    replayer: Replayer
    recording: RecordingSettings

    async def replay(self, request: Request) -> Response:
        """``POST /api/v1/decisions/{id}/replay``: 200 also where it cannot be, with ``replayable: false`` and why."""
        asked = await read_json(request, ReplayBody, LARGEST_BODY)
        try:
            against = Against(asked.against or Against.RECORDED)
        except ValueError:
            raise Fault(400, f"against must be one of {', '.join(Against)}") from None
        readable = callers.readable_by(callers.caller_of(request, self.settings), self.settings)
        return _json(await self.replayer.replay(request.path_params["id"], against, readable))

    async def mode(self, request: Request) -> Response:
        """``GET /api/v1/decisions/recording``."""
        return _json(await self.recording.get(callers.caller_of(request, self.settings)))

    async def change_mode(self, request: Request) -> Response:
        """``PUT /api/v1/decisions/recording``."""
        asked = await read_json(request, ModeChange, LARGEST_BODY)
        trace = request.scope.get(TRACE)
        caller = callers.caller_of(request, self.settings)
        return _json(await self.recording.change(asked, caller, trace.trace_id if trace is not None else ""))


def routes(orchestrator: Orchestrator) -> list[BaseRoute]:
    """The family's URL table."""
    settings, database = orchestrator.settings, orchestrator.database
    sealer = InputSealer(orchestrator.sealer)
    ceiling = InputMode(settings.record_input)
    endpoints = ReplayEndpoints(
        settings,
        Replayer(database, sealer, orchestrator.sets),
        RecordingSettings(database, orchestrator.audit, ceiling, sealer.available),
    )
    return [
        Route("/api/v1/decisions/recording", endpoints.mode, methods=["GET"]),
        Route("/api/v1/decisions/recording", endpoints.change_mode, methods=["PUT"]),
        Route("/api/v1/decisions/{id}/replay", endpoints.replay, methods=["POST"]),
    ]


def _json(body: object) -> Response:
    return Response(answered(body), media_type="application/json")
