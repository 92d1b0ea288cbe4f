"""The deployment's secrets: from the environment, else those that the first migrator made."""

from __future__ import annotations

from axonflow_settings import Secret, ServiceSettings

from axonflow_database.database import Database
from axonflow_database.errors import DatabaseUnavailable

INTERNAL_SECRET_NAME = "internal_service_secret"  # noqa: S105 - the name of a row, not a secret
SEALING_KEY_NAME = "sealing_key"

FIND_SECRET = "SELECT value FROM deployment_secrets WHERE name = %s"  # noqa: S105 - a statement, not a secret


async def internal_secret(settings: ServiceSettings, db: Database) -> Secret:
    """The secret that all services of this deployment share (rulings §3).

    Raises:
        DatabaseUnavailable: PostgreSQL is away, or has no secret because no migrator of this mode has run.
    """
    if settings.internal_secret is not None:
        return settings.internal_secret
    found = await _generated(db, INTERNAL_SECRET_NAME)
    if found is None:
        raise DatabaseUnavailable("AXONFLOW_INTERNAL_SERVICE_SECRET is not set and none was generated: migrate first")
    return found


async def sealing_keys(settings: ServiceSettings, db: Database) -> tuple[Secret, ...]:
    """Keys for ``axonflow_sealing.Sealer``, the current one first; empty when the deployment has none.

    A generated key stays behind the operator's own, so that what was sealed before still opens.

    Raises:
        DatabaseUnavailable: PostgreSQL is away.
    """
    generated = await _generated(db, SEALING_KEY_NAME)
    return (*settings.sealing_keys, *((generated,) if generated is not None else ()))


async def _generated(db: Database, name: str) -> Secret | None:
    async with db.platform() as connection:
        cursor = await connection.execute(FIND_SECRET, (name,))
        row = await cursor.fetchone()
    return Secret(str(row[0])) if row is not None else None
