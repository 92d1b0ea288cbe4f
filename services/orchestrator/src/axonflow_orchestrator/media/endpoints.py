"""HTTP of media governance (orchestrator contract section 1.12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_governance.changes import Author
from axonflow_settings import Edition
from axonflow_web import TRACE
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from axonflow_orchestrator import callers
from axonflow_orchestrator.media.export import Asked, Form, MediaExport, wanted_of
from axonflow_orchestrator.media.records import ConfigChange, MediaConfig
from axonflow_orchestrator.media.service import MediaGovernance
from axonflow_orchestrator.questions import answered, from_query, read_json
from axonflow_orchestrator.resources import Orchestrator
from axonflow_orchestrator.settings import OrchestratorSettings

BASE = "/api/v1/media-governance"
LARGEST_CHANGE = 16_384
_MEDIA_TYPES = {Form.CSV: "text/csv; charset=utf-8", Form.JSON: "application/json"}


@dataclass(frozen=True, slots=True)
class MediaEndpoints:
    """Status, a tenant's configuration, and the export."""

    settings: OrchestratorSettings
    service: MediaGovernance
    export_: MediaExport

    async def status(self, _request: Request) -> Response:
        """``GET /api/v1/media-governance/status``."""
        return _json(self.service.status)

    async def config(self, request: Request) -> Response:
        """``GET /api/v1/media-governance/config``."""
        return _json(_shown(await self.service.config(callers.caller_of(request, self.settings))))

    async def change(self, request: Request) -> Response:
        """``PUT /api/v1/media-governance/config``."""
        change = await read_json(request, ConfigChange, LARGEST_CHANGE)
        trace = request.scope.get(TRACE)
        author = Author(callers.caller_of(request, self.settings), trace.trace_id if trace is not None else "")
        return _json(_shown(await self.service.change(change, author)))

    async def export(self, request: Request) -> Response:
        """``GET /api/v1/media-governance/audit/export``: enterprise."""
        caller = callers.caller_of(request, self.settings)
        if self.settings.edition is not Edition.ENTERPRISE:
            raise Fault(403, "The media audit export is part of the enterprise edition", code="ENTERPRISE_REQUIRED")
        asked = from_query(request.query_params, Asked)
        wanted = wanted_of(asked, callers.readable_by(caller, self.settings))
        name = f"media-audit-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.{wanted.form}"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        pieces = await self.export_.open(wanted)
        return StreamingResponse(pieces, headers=headers, media_type=_MEDIA_TYPES[wanted.form])


def routes(orchestrator: Orchestrator) -> list[BaseRoute]:
    """The family's URL table."""
    service = MediaGovernance(orchestrator.database, orchestrator.audit, orchestrator.media_switch)
    endpoints = MediaEndpoints(orchestrator.settings, service, MediaExport(orchestrator.database))
    return [
        Route(f"{BASE}/status", endpoints.status, methods=["GET"]),
        Route(f"{BASE}/config", endpoints.config, methods=["GET"]),
        Route(f"{BASE}/config", endpoints.change, methods=["PUT"]),
        Route(f"{BASE}/audit/export", endpoints.export, methods=["GET"]),
    ]


def _shown(config: MediaConfig) -> dict[str, object]:
    """Texts where clients read texts: nobody changed it yet."""
    shown: dict[str, object] = msgspec.to_builtins(config)
    return {**shown, "updated_at": shown["updated_at"] or ""}


def _json(body: object) -> Response:
    return Response(answered(body), 200, media_type="application/json")
