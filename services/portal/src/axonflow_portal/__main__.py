"""`python -m axonflow_portal`: load settings, migrate, serve."""

from __future__ import annotations

import asyncio
import os

from axonflow_database import DatabaseUnavailable, MigrationError, UnsafeLogin, migrate
from axonflow_settings import load
from axonflow_telemetry import configure_logs
from axonflow_web import run_service, serve

from axonflow_portal.app import create_app, open_portal
from axonflow_portal.settings import PortalSettings


async def main() -> None:
    """Boot the portal and run it until it is told to end."""
    settings = load(PortalSettings, os.environ)
    configure_logs("axonflow-portal", settings.log_level)
    await asyncio.to_thread(migrate, settings)
    async with open_portal(settings) as portal:
        await serve(create_app(portal), settings, lifecycle=portal.lifecycle)


if __name__ == "__main__":
    run_service(main, refusals=(MigrationError, DatabaseUnavailable, UnsafeLogin))
