"""The secret that signs calls among the services: from the environment, else the one the first migrator made."""

from __future__ import annotations

from axonflow_settings import Secret, ServiceSettings

from axonflow_database.database import Database
from axonflow_database.errors import DatabaseUnavailable

INTERNAL_SECRET_NAME = "internal_service_secret"  # noqa: S105 - the name of a row, not a secret

FIND_SECRET = "SELECT value FROM deployment_secrets WHERE name = %s"  # noqa: S105 - a statement, not a secret


async def internal_secret(settings: ServiceSettings, db: Database) -> Secret:
    """The secret that all services of this deployment share (rulings §3).

    Raises:
        DatabaseUnavailable: PostgreSQL is away, or has no secret because no migrator of this mode has run.
    """
    if settings.internal_secret is not None:
        return settings.internal_secret
    async with db.platform() as connection:
        cursor = await connection.execute(FIND_SECRET, (INTERNAL_SECRET_NAME,))
        row = await cursor.fetchone()
    if row is None:
        raise DatabaseUnavailable("AXONFLOW_INTERNAL_SERVICE_SECRET is not set and none was generated: migrate first")
    return Secret(str(row[0]))
