"""``/health`` for discovery and liveness, ``/ready`` for load balancers, ``/prometheus`` for scrapes."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime

import msgspec
from axonflow_contracts.discovery import ORCHESTRATOR_CAPABILITIES, PLUGIN_COMPATIBILITY, SDK_COMPATIBILITY
from axonflow_contracts.version import platform_version
from axonflow_database import Database
from axonflow_telemetry import Metrics
from axonflow_web import Lifecycle, Stage
from starlette.requests import Request
from starlette.responses import Response

from axonflow_orchestrator.resources import SERVICE

PROBE_TIMEOUT_S = 2.0

# Flips as each part lands; orchestrator.md §1.1 names them.
COMPONENTS = dict.fromkeys(
    (
        "policy_engine",
        "llm_router",
        "response_processor",
        "audit_logger",
        "workflow_engine",
        "planning_engine",
        "result_aggregator",
        "sebi_compliance",
        "rbi_compliance",
        "euaiact_compliance",
        "masfeat_compliance",
    ),
    False,
) | {"audit_logger": True}
FEATURES = dict.fromkeys(
    ("multi_agent_planning", "sebi_compliance", "rbi_compliance", "euaiact_compliance", "masfeat_compliance"), False
)


@dataclasses.dataclass(frozen=True, slots=True)
class HealthEndpoints:
    """What the process says of itself."""

    database: Database
    lifecycle: Lifecycle
    metrics: Metrics

    async def health(self, request: Request) -> Response:  # noqa: ARG002 - the route's signature
        """Always 200 and at once: the process answers; ``starting`` until it serves."""
        return _json(
            {
                "status": "starting" if self.lifecycle.stage is Stage.STARTING else "healthy",
                "service": SERVICE,
                "timestamp": datetime.now(UTC),
                "version": platform_version(),
                "components": COMPONENTS,
                "features": FEATURES,
                "capabilities": ORCHESTRATOR_CAPABILITIES,
                "sdk_compatibility": SDK_COMPATIBILITY,
                "plugin_compatibility": PLUGIN_COMPATIBILITY,
            }
        )

    async def ready(self, request: Request) -> Response:  # noqa: ARG002
        """503 while draining or starting; 200 with what is degraded otherwise (rulings.md §6)."""
        blocking = [] if self.lifecycle.stage is Stage.SERVING else [self.lifecycle.stage.value]
        degraded = [] if await self._database_answers() else ["database"]
        status = "not_ready" if blocking else "degraded" if degraded else "ready"
        body = {"status": status, "service": SERVICE, "blocking": blocking, "degraded": degraded}
        return _json(body, 503 if blocking else 200)

    async def prometheus(self, request: Request) -> Response:  # noqa: ARG002
        """All series in text format."""
        page, content_type = self.metrics.exposition()
        return Response(page, headers={"content-type": content_type})

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                return await self.database.answers()
        except TimeoutError:
            return False


def _json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
