"""`python -m axonflow_orchestrator`: load settings, migrate, serve."""

from __future__ import annotations

import asyncio
import os

from axonflow_audit import AuditDirectoryError
from axonflow_database import DatabaseUnavailable, MigrationError, UnsafeLogin, migrate
from axonflow_governance import PolicySetUnavailable
from axonflow_settings import load
from axonflow_telemetry import configure_logs
from axonflow_web import run_service, serve

from axonflow_orchestrator.app import create_app
from axonflow_orchestrator.resources import SERVICE, open_orchestrator
from axonflow_orchestrator.settings import OrchestratorSettings


async def main() -> None:
    """Boot the orchestrator and run it until it is told to end."""
    settings = load(OrchestratorSettings, os.environ)
    configure_logs(SERVICE, settings.log_level)
    await asyncio.to_thread(migrate, settings)
    async with open_orchestrator(settings) as orchestrator:
        refused = orchestrator.metrics.http_refused
        await serve(
            create_app(orchestrator),
            settings,
            lifecycle=orchestrator.lifecycle,
            refused=lambda reason: refused.labels(reason=reason).inc(),
        )


if __name__ == "__main__":
    run_service(
        main, refusals=(MigrationError, DatabaseUnavailable, UnsafeLogin, AuditDirectoryError, PolicySetUnavailable)
    )
