"""HTTP of the connector family (orchestrator contract section 1.10)."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_connectors import ConnectorRegistry
from axonflow_contracts.caller import CallerKind
from axonflow_contracts.connectors import DEFINITIONS_PATH
from axonflow_contracts.errors import Fault
from axonflow_governance.changes import Author
from axonflow_sealing import Sealer
from axonflow_web import TRACE, read_body
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from axonflow_orchestrator import callers
from axonflow_orchestrator.connectors.changes import ConnectorChanges
from axonflow_orchestrator.connectors.probing import Prober, on_wire
from axonflow_orchestrator.connectors.records import Configure, Install
from axonflow_orchestrator.connectors.service import ConnectorService
from axonflow_orchestrator.connectors.vault import Vault
from axonflow_orchestrator.questions import answered, from_json, read_json
from axonflow_orchestrator.resources import Orchestrator
from axonflow_orchestrator.settings import OrchestratorSettings

LARGEST_BODY = 262_144
BASE = "/api/v1/connectors"


@dataclass(frozen=True, slots=True)
class ConnectorEndpoints:
    """The catalogue and what a tenant installed from it."""

    settings: OrchestratorSettings
    service: ConnectorService

    async def list(self, request: Request) -> Response:
        """``GET /api/v1/connectors``."""
        return _json(await self.service.page(callers.caller_of(request, self.settings)))

    async def get(self, request: Request) -> Response:
        """``GET /api/v1/connectors/{id}``."""
        return _json(await self.service.get(_key(request), _tenant(request), callers.caller_of(request, self.settings)))

    async def install(self, request: Request) -> Response:
        """``POST /api/v1/connectors/{id}/install``: 201."""
        asked = await read_json(request, Install, LARGEST_BODY)
        return _json(await self.service.install(_key(request), asked, self._author(request)), 201)

    async def configure(self, request: Request) -> Response:
        """``PUT /api/v1/connectors/{id}``."""
        asked = await read_json(request, Configure, LARGEST_BODY)
        return _json(await self.service.configure(_key(request), asked, self._author(request)))

    async def uninstall(self, request: Request) -> Response:
        """``DELETE /api/v1/connectors/{id}``: 204."""
        await self.service.uninstall(_key(request), _tenant(request), self._author(request))
        return Response(status_code=204)

    async def health(self, request: Request) -> Response:
        """``GET /api/v1/connectors/{id}/health``."""
        return _json(
            on_wire(await self.service.look(_key(request), _tenant(request), callers.caller_of(request, self.settings)))
        )

    async def test(self, request: Request) -> Response:
        """``POST /api/v1/connectors/{id}/test``: of what is installed, or with a body of what would be."""
        body = await read_body(request, LARGEST_BODY)
        caller, asked = callers.caller_of(request, self.settings), from_json(body or b"{}", Configure)
        if asked.options is None and asked.credentials is None:
            return _json(on_wire(await self.service.look(_key(request), _tenant(request), caller)))
        return _json(on_wire(await self.service.look_at(_key(request), asked, caller)))

    async def definitions(self, request: Request) -> Response:
        """``GET /api/v1/internal/connectors``: for the agent alone, which acts as a service."""
        caller = callers.caller_of(request, self.settings)
        if caller.kind is not CallerKind.SERVICE or not caller.tenant_id:
            raise Fault(403, "Only a service of this deployment may read definitions, for one tenant")
        return _json(await self.service.definitions(caller))

    def _author(self, request: Request) -> Author:
        trace = request.scope.get(TRACE)
        return Author(callers.caller_of(request, self.settings), trace.trace_id if trace is not None else "")


def routes(orchestrator: Orchestrator, registry: ConnectorRegistry, sealer: Sealer) -> list[BaseRoute]:
    """The family's URL table."""
    settings = orchestrator.settings
    service = ConnectorService(
        database=orchestrator.database,
        prober=Prober(registry),
        vault=Vault(sealer),
        changes=ConnectorChanges(orchestrator.audit),
        edition=settings.edition,
        most=settings.limits.connectors,
    )
    endpoints = ConnectorEndpoints(settings, service)
    return [
        Route(BASE, endpoints.list, methods=["GET"]),
        Route(DEFINITIONS_PATH, endpoints.definitions, methods=["GET"]),
        Route(f"{BASE}/{{id}}", endpoints.get, methods=["GET"]),
        Route(f"{BASE}/{{id}}", endpoints.configure, methods=["PUT"]),
        Route(f"{BASE}/{{id}}", endpoints.uninstall, methods=["DELETE"]),
        Route(f"{BASE}/{{id}}/install", endpoints.install, methods=["POST"]),
        Route(f"{BASE}/{{id}}/health", endpoints.health, methods=["GET"]),
        Route(f"{BASE}/{{id}}/test", endpoints.test, methods=["POST"]),
    ]


def _key(request: Request) -> str:
    key: str = request.path_params["id"]
    return key


def _tenant(request: Request) -> str | None:
    """Whose connector an operator means; a client's own tenant always holds."""
    return request.query_params.get("tenant_id") or None


def _json(body: object, status: int = 200) -> Response:
    return Response(answered(body), status, media_type="application/json")
