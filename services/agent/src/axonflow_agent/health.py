"""``/health`` for discovery and liveness, ``/ready`` for load balancers, ``/prometheus`` for scrapes."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import msgspec
from axonflow_audit import AuditLog, Place
from axonflow_contracts.discovery import AGENT_CAPABILITIES, PLUGIN_COMPATIBILITY, SDK_COMPATIBILITY
from axonflow_contracts.version import platform_version
from axonflow_governance import PolicySource
from axonflow_settings import Edition
from axonflow_telemetry import Metrics
from axonflow_web import Lifecycle, Stage
from starlette.requests import Request
from starlette.responses import Response

from axonflow_agent.resources import SERVICE

# The set is confirmed every second; three misses in a row mean that PostgreSQL is away.
STALE_AFTER_S = 4.0


@dataclasses.dataclass(frozen=True, slots=True)
class HealthEndpoints:
    """What the process says of itself; nothing here waits for anything."""

    policies: PolicySource
    audit: AuditLog
    lifecycle: Lifecycle
    metrics: Metrics
    edition: Edition

    async def health(self, request: Request) -> Response:  # noqa: ARG002 - the route's signature
        """Always 200: the process answers."""
        return _json(
            {
                "status": "healthy" if self.policies.current else "starting",
                "service": SERVICE,
                "timestamp": datetime.now(UTC),
                "version": platform_version(),
                "tier": self.edition.value,
                "capabilities": AGENT_CAPABILITIES,
                "sdk_compatibility": SDK_COMPATIBILITY,
                "plugin_compatibility": PLUGIN_COMPATIBILITY,
            }
        )

    async def ready(self, request: Request) -> Response:  # noqa: ARG002
        """503 without a policy set, without an audit place, or while draining; 200 with what is degraded otherwise."""
        blocking = self._blocking()
        degraded = self._degraded()
        status = "not_ready" if blocking else "degraded" if degraded else "ready"
        body = {"status": status, "service": SERVICE, "blocking": blocking, "degraded": degraded}
        return _json(body, 503 if blocking else 200)

    async def snapshot(self, request: Request) -> Response:  # noqa: ARG002
        """``/metrics``: totals since the start, percentiles over the last thousand calls."""
        return _json({**self.metrics.performance.snapshot(), "timestamp": datetime.now(UTC)})

    async def prometheus(self, request: Request) -> Response:  # noqa: ARG002
        """All series in text format."""
        page, content_type = self.metrics.exposition()
        return Response(page, headers={"content-type": content_type})

    def _blocking(self) -> list[str]:
        found = {
            "policies": self.policies.current is None,
            "audit": not self.audit.writable,
            "draining": self.lifecycle.stage is Stage.DRAINING,
        }
        return [name for name, stops in found.items() if stops]

    def _degraded(self) -> list[str]:
        found = {"database": self.policies.age_s > STALE_AFTER_S, "audit_fallback": self.audit.place is Place.FILE}
        return [name for name, worse in found.items() if worse]


def _json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
