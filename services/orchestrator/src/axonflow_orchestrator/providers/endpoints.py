"""HTTP of the provider family (orchestrator contract section 1.7)."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_governance.changes import Author
from axonflow_web import TRACE
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from axonflow_orchestrator import callers
from axonflow_orchestrator.providers.changes import ProviderChanges
from axonflow_orchestrator.providers.health import HEALTHY, UNHEALTHY
from axonflow_orchestrator.providers.opening import ProviderRoom
from axonflow_orchestrator.providers.records import Change, ProviderType, Question, Shown, Trial
from axonflow_orchestrator.providers.service import ProviderService
from axonflow_orchestrator.providers.trying import Trials
from axonflow_orchestrator.questions import answered, from_query, read_json
from axonflow_orchestrator.resources import Orchestrator
from axonflow_orchestrator.settings import OrchestratorSettings

LARGEST_BODY = 131_072
BASE = "/api/v1/llm-providers"


@dataclass(frozen=True, slots=True)
class ProviderEndpoints:
    """Providers as clients and the portal see them."""

    settings: OrchestratorSettings
    service: ProviderService
    trials: Trials

    async def types(self, request: Request) -> Response:
        """``GET /api/v1/llm-provider-types``."""
        callers.caller_of(request, self.settings)
        types = _types(self.service)
        return _json({"types": types, "total": len(types), "tier": self.settings.edition})

    async def list(self, request: Request) -> Response:
        """``GET /api/v1/llm-providers``."""
        question = from_query(request.query_params, Question)
        return _json(await self.service.page(question, callers.caller_of(request, self.settings)))

    async def status(self, request: Request) -> Response:
        """``GET /api/v1/llm-providers/status``: the health of all."""
        shown = await self.service.listed(_tenant(request), callers.caller_of(request, self.settings))
        states = [each.health.status for each in shown]
        counts = {"total": len(states), "healthy": states.count(HEALTHY), "unhealthy": states.count(UNHEALTHY)}
        return _json({"providers": [_state(each) for each in shown], **counts})

    async def create(self, request: Request) -> Response:
        """``POST /api/v1/llm-providers``: 201."""
        asked = await read_json(request, Change, LARGEST_BODY)
        return _json(await self.service.create(asked, self._author(request)), 201)

    async def get(self, request: Request) -> Response:
        """``GET /api/v1/llm-providers/{name}``."""
        return _json(
            await self.service.get(_name(request), _tenant(request), callers.caller_of(request, self.settings))
        )

    async def update(self, request: Request) -> Response:
        """``PUT /api/v1/llm-providers/{name}``."""
        asked = await read_json(request, Change, LARGEST_BODY)
        return _json(await self.service.update(_name(request), asked, self._author(request)))

    async def delete(self, request: Request) -> Response:
        """``DELETE /api/v1/llm-providers/{name}``: 204."""
        await self.service.delete(_name(request), _tenant(request), self._author(request))
        return Response(status_code=204)

    async def health(self, request: Request) -> Response:
        """``GET /api/v1/llm-providers/{name}/health``."""
        caller = callers.caller_of(request, self.settings)
        return _json(await self.trials.look(_name(request), _tenant(request), caller))

    async def test(self, request: Request) -> Response:
        """``POST /api/v1/llm-providers/{name}/test``: 503 where it gives no answer."""
        trial = await read_json(request, Trial, LARGEST_BODY)
        result = await self.trials.ask(_name(request), trial, self._author(request))
        return _json(result, 200 if result.success else 503)

    def _author(self, request: Request) -> Author:
        trace = request.scope.get(TRACE)
        return Author(callers.caller_of(request, self.settings), trace.trace_id if trace is not None else "")


def routes(orchestrator: Orchestrator, room: ProviderRoom) -> list[BaseRoute]:
    """The family's URL table; ``/llm-providers/routing`` is the router's, and must stand before it."""
    settings = orchestrator.settings
    service = ProviderService(
        database=orchestrator.database,
        opener=room.opener,
        deployment=room.deployment,
        book=room.book,
        outbound=room.outbound,
        changes=ProviderChanges(orchestrator.audit),
        edition=settings.edition,
        most=settings.limits.llm_providers,
        reveals=not settings.mode.asks_for_credentials,
    )
    endpoints = ProviderEndpoints(settings, service, Trials(service, room.prober, orchestrator.policies))
    return [
        Route("/api/v1/llm-provider-types", endpoints.types, methods=["GET"]),
        Route(BASE, endpoints.list, methods=["GET"]),
        Route(BASE, endpoints.create, methods=["POST"]),
        Route(f"{BASE}/status", endpoints.status, methods=["GET"]),
        Route(f"{BASE}/{{name}}", endpoints.get, methods=["GET"]),
        Route(f"{BASE}/{{name}}", endpoints.update, methods=["PUT"]),
        Route(f"{BASE}/{{name}}", endpoints.delete, methods=["DELETE"]),
        Route(f"{BASE}/{{name}}/health", endpoints.health, methods=["GET"]),
        Route(f"{BASE}/{{name}}/test", endpoints.test, methods=["POST"]),
    ]


def _types(service: ProviderService) -> list[ProviderType]:
    """All types; which one an edition allows is a matter of how many providers, not of their type."""
    return [
        ProviderType(
            type=spec.type,
            name=spec.title,
            available=True,
            needs_api_key=spec.needs_key,
            needs_endpoint=spec.needs_endpoint,
            default_endpoint=spec.default_endpoint,
            default_model=spec.default_model,
            settings={setting.name: setting.help for setting in spec.settings},
            secret_settings=tuple(setting.name for setting in spec.settings if setting.secret),
        )
        for spec in service.opener.registry.specs()
    ]


def _state(shown: Shown) -> dict[str, object]:
    return {
        "name": shown.name,
        "type": shown.type,
        "source": shown.source,
        "enabled": shown.enabled,
        "status": shown.health.status,
        "message": shown.health.message,
        "last_checked": shown.health.last_checked or None,
    }


def _name(request: Request) -> str:
    name: str = request.path_params["name"]
    return name


def _tenant(request: Request) -> str | None:
    """Whose provider an operator means; a client's own tenant always holds."""
    return request.query_params.get("tenant_id") or None


def _json(body: object, status: int = 200) -> Response:
    return Response(answered(body), status, media_type="application/json")
