"""`/health` and `/ready`: whether this process is well, and which of its links are broken."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from axonflow_contracts.version import platform_version
from axonflow_web import Lifecycle
from starlette.responses import JSONResponse, Response

from axonflow_portal.backends import AgentPolicies, answers

# A probe's patience, below the five seconds that container engines give a health check.
PROBE_TIMEOUT_S = 2.0


async def health(agent: AgentPolicies) -> Response:
    """``GET /health``: at once, from memory; the agent link is as the last call left it."""
    link: dict[str, str] = {"state": agent.link.state}
    if agent.link.trouble is not None:
        link["message"] = agent.link.trouble.message
    body = {
        "status": "healthy",
        "service": "axonflow-portal",
        "version": platform_version(),
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "links": {"agent": link},
    }
    return JSONResponse(body)


async def ready(agent: AgentPolicies, orchestrator_url: str, lifecycle: Lifecycle) -> Response:
    """``GET /ready``: 503 only while draining (rulings §6); a broken link is told as ``degraded``."""
    if lifecycle.draining:
        return JSONResponse({"status": "draining", "degraded": []}, 503)
    agent_trouble, orchestrator_answers = await asyncio.gather(
        _agent_trouble(agent), answers(agent.session, orchestrator_url, PROBE_TIMEOUT_S)
    )
    degraded = [] if agent_trouble is None else [f"agent: {agent_trouble}"]
    if not orchestrator_answers:
        degraded.append(f"orchestrator: nothing answers at ORCHESTRATOR_URL ({orchestrator_url})")
    return JSONResponse({"status": "degraded" if degraded else "ready", "degraded": degraded})


async def _agent_trouble(agent: AgentPolicies) -> str | None:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            trouble = await agent.check()
    except TimeoutError:
        return f"no answer from AGENT_URL ({agent.base_url}) within {PROBE_TIMEOUT_S:g} s"
    return None if trouble is None else trouble.message
