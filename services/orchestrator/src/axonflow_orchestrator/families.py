"""The families of endpoints and the error envelope of each; what has not landed yet answers 501 in it.

The table is orchestrator.md §0.1 and §0.3. The longest prefix that fits decides.
"""

from __future__ import annotations

from collections.abc import Mapping

from axonflow_contracts.errors import Fault, Surface
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

FAMILIES: Mapping[str, Surface] = {
    "/api/v1/process": Surface.HANDLER,
    "/api/v1/plan": Surface.HANDLER,
    "/api/v1/plans": Surface.HANDLER,
    "/api/v1/plans/estimate": Surface.WORKFLOW,
    "/api/v1/audit": Surface.HANDLER,
    "/api/v1/connectors": Surface.HANDLER,
    "/api/v1/internal/connectors": Surface.HANDLER,
    "/api/v1/hitl": Surface.HANDLER,
    "/api/v1/workflows": Surface.WORKFLOW,
    "/api/v1/evidence": Surface.WORKFLOW,
    "/api/v1/policies/simulate": Surface.WORKFLOW,
    "/api/v1/policies/impact-report": Surface.WORKFLOW,
    "/api/v1/policies/conflicts": Surface.WORKFLOW,
    "/api/v1/masfeat": Surface.FLAT,
    "/api/v1/executions": Surface.NESTED,
    "/api/v1/unified": Surface.NESTED,
    "/api/v1/budgets": Surface.NESTED,
    "/api/v1/usage": Surface.NESTED,
    "/api/v1/pricing": Surface.NESTED,
    "/api/v1/policies": Surface.NESTED,
    "/api/v1/dynamic-policies": Surface.NESTED,
    "/api/v1/templates": Surface.NESTED,
    "/api/v1/overrides": Surface.NESTED,
    "/api/v1/llm-providers": Surface.NESTED,
    "/api/v1/llm-provider-types": Surface.NESTED,
    "/api/v1/providers": Surface.NESTED,
    "/api/v1/metrics": Surface.NESTED,
    "/api/v1/agents": Surface.NESTED,
    "/api/v1/webhooks": Surface.NESTED,
    "/api/v1/media-governance": Surface.NESTED,
    "/api/v1/decisions": Surface.FLAT,
    "/api/v1/mcp/evaluate-policies": Surface.NESTED,
    "/mcp/evaluate-policies": Surface.NESTED,
    "/api/v1/sebi": Surface.NESTED,
    "/api/v1/rbi": Surface.NESTED,
    "/api/v1/euaiact": Surface.NESTED,
    "/api/v1/ojk": Surface.NESTED,
    "/ui/executions": Surface.NESTED,
}

# Governed work and raw verdicts: reached without the agent they would lead round the system policies (rulings.md §3).
# Definitions of connectors are for the services alone.
ALWAYS_SIGNED = (
    "/api/v1/process",
    "/api/v1/mcp/evaluate-policies",
    "/mcp/evaluate-policies",
    "/api/v1/internal/connectors",
)


def family_of(path: str) -> str | None:
    """The longest family prefix of ``path``, by whole segments."""
    while path:
        if path in FAMILIES:
            return path
        path = path.rpartition("/")[0]
    return None


def surface_of(path: str) -> Surface:
    """The envelope in which errors on ``path`` are rendered."""
    family = family_of(path)
    return Surface.NESTED if family is None else FAMILIES[family]


def is_always_signed(path: str) -> bool:
    """Whether ``path`` needs the internal token in every mode."""
    return family_of(path) in ALWAYS_SIGNED


class NotLanded:
    """Answers for every path of a family whose endpoints do not exist yet; an ASGI application for any method."""

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        """Refuse.

        Raises:
            Fault: 501 within a family.
            HTTPException: 404 outside.
        """
        family = family_of(scope["path"])
        if family is None:
            raise HTTPException(404)
        raise Fault(501, f"Not implemented: {family} is not part of this release yet")
