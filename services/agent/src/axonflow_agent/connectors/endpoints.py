"""What is installed and how it does, and the cache's own routes (agent contract §1.10)."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.connectors import ConnectorDefinition
from axonflow_contracts.errors import Fault
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from axonflow_agent.connectors.definitions import NOT_INITIALIZED
from axonflow_agent.connectors.runtime import ConnectorRuntime, Look

CACHE_PATHS = ("/api/v1/connectors/refresh", "/api/v1/connectors/cache/")


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectorEndpoints:
    """Reads over a tenant's connectors.

    Attributes:
        enter: who asks; another service may ask on behalf of a caller.
    """

    runtime: ConnectorRuntime
    enter: Callable[[Request], Awaitable[Caller]]

    def routes(self) -> list[Route]:
        """The URL table's entries."""
        refresh = CACHE_PATHS[0]
        return [
            Route("/mcp/connectors", self.list, methods=["GET"]),
            Route("/mcp/connectors/{name}/health", self.health, methods=["GET"]),
            Route("/mcp/health", self.overall, methods=["GET"]),
            Route(refresh, self.refresh, methods=["POST"]),
            Route(f"{refresh}/{{tenant}}", self.refresh, methods=["POST"]),
            Route(f"{refresh}/{{tenant}}/{{name}}", self.refresh, methods=["POST"]),
            Route(f"{CACHE_PATHS[1]}stats", self.stats, methods=["GET"]),
        ]

    async def list(self, request: Request) -> Response:
        """Every connector of the caller's tenant, looked at now or some seconds ago."""
        caller = await self.enter(request)
        definitions = list((await self.runtime.all(caller.org_id, caller.tenant_id)).values())
        looks = await asyncio.gather(*(self.runtime.look(caller.org_id, each) for each in definitions))
        shown = [self._entry(each, look) for each, look in zip(definitions, looks, strict=True)]
        return _json({"connectors": shown, "count": len(shown)})

    async def health(self, request: Request) -> Response:
        """One of them."""
        caller = await self.enter(request)
        definition = await self.runtime.one(caller.org_id, caller.tenant_id, request.path_params["name"])
        look = await self.runtime.look(caller.org_id, definition)
        return _json({**_health(look), "last_check": look.checked_at})

    async def overall(self, request: Request) -> Response:  # noqa: ARG002 - the route's signature
        """How the connectors do that this process looked at; for probes, so it names none."""
        if not self.runtime.enabled:
            raise Fault(503, NOT_INITIALIZED)
        seen = self.runtime.seen
        healthy = sum(look.health.healthy for look in seen)
        total = len(self.runtime.definitions)
        body = {
            "healthy": healthy == len(seen),
            "total_connectors": total,
            "healthy_count": healthy,
            "unhealthy_count": len(seen) - healthy,
            "timestamp": datetime.now(UTC),
        }
        return _json(body)

    async def refresh(self, request: Request) -> Response:
        """Forget definitions and close connections; a client's reach ends with its own tenant."""
        started = time.perf_counter()
        caller = await self.enter(request)
        self._require_enabled()
        tenant, name = request.path_params.get("tenant"), request.path_params.get("name")
        service = caller.kind is CallerKind.SERVICE
        if tenant is not None and not service and tenant not in {caller.tenant_id, caller.client_id}:
            raise Fault(403, "Tenant mismatch")
        whose = tenant if service else caller.tenant_id
        count = await self.runtime.refresh(caller.org_id, whose, name)
        body: dict[str, Any] = {
            "success": True,
            "message": f"{count} cached connector definitions were dropped",
            "scope": "connector" if name else "tenant" if tenant else "all",
            "duration": f"{(time.perf_counter() - started) * 1000:.3f}ms",
            "stats": {"cached_connectors": 0 if name is None else max(0, count - 1)},
        }
        return _json(body | ({"tenant_id": tenant} if tenant else {}) | ({"connector": name} if name else {}))

    async def stats(self, request: Request) -> Response:
        """Counters; those of the whole process are for services."""
        caller = await self.enter(request)
        service = caller.kind is CallerKind.SERVICE
        body: dict[str, Any] = {
            "cached_connectors": self.runtime.definitions.cached(caller.org_id, caller.tenant_id or None),
            "registry_enabled": self.runtime.enabled,
            "tenant_id": caller.tenant_id,
            "timestamp": datetime.now(UTC),
        }
        return _json({**body, "deployment": self._deployment()} if service else body)

    def _deployment(self) -> dict[str, Any]:
        cache, opened = self.runtime.definitions.counters, self.runtime.live.counters
        return {
            "hits": cache.hits,
            "misses": cache.misses,
            "evictions": cache.evictions,
            "factory_creations": opened.creations,
            "factory_failures": opened.failures,
            "connection_errors": opened.connection_errors,
            "hit_rate_percent": cache.hit_rate_percent,
            "last_eviction": cache.last_eviction,
            "last_factory_create": opened.last_create,
        }

    def _require_enabled(self) -> None:
        if not self.runtime.enabled:
            raise Fault(503, NOT_INITIALIZED)

    def _entry(self, definition: ConnectorDefinition, look: Look) -> dict[str, Any]:
        spec = self.runtime.spec(definition)
        return {
            "name": definition.name,
            "type": definition.type,
            "version": spec.version if spec else "",
            "capabilities": sorted(spec.capabilities) if spec else [],
            **_health(look),
        }


def _health(look: Look) -> dict[str, Any]:
    health = look.health
    told = {"healthy": health.healthy, "latency_ms": math.ceil(health.latency_ms)}
    return told if health.error is None else {**told, "error": health.error}


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
