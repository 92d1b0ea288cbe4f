"""``python -m axonflow_agent``: load settings, migrate, serve."""

from __future__ import annotations

import asyncio
import os

from axonflow_audit import AuditDirectoryError
from axonflow_database import DatabaseUnavailable, MigrationError, UnsafeLogin, migrate
from axonflow_governance import PolicySetUnavailable
from axonflow_settings import load
from axonflow_telemetry import configure_logs
from axonflow_web import run_service, serve

from axonflow_agent.app import create_app
from axonflow_agent.resources import SERVICE, open_agent
from axonflow_agent.settings import AgentSettings


async def main() -> None:
    """Boot the agent and run it until it is told to end."""
    settings = load(AgentSettings, os.environ)
    configure_logs(SERVICE, settings.log_level)
    await asyncio.to_thread(migrate, settings)
    async with open_agent(settings) as agent:
        count = agent.metrics.http_refused
        await serve(
            create_app(agent), settings, lifecycle=agent.lifecycle, refused=lambda reason: count.labels(reason).inc()
        )


if __name__ == "__main__":
    run_service(
        main, refusals=(MigrationError, DatabaseUnavailable, UnsafeLogin, AuditDirectoryError, PolicySetUnavailable)
    )
