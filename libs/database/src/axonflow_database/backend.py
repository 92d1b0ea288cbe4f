"""How yoyo reaches PostgreSQL: as the owner, with bounded waits, and without its own table lock.

yoyo's lock is a row that a killed process leaves behind for good, so the caller's advisory lock stands in its place.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import socket
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI

logger = logging.getLogger("axonflow.database")

MIGRATION_TABLE = "_yoyo_migration"

# A migration that cannot have its lock must not hold up the traffic that queues behind it.
SESSION_SETTINGS = {
    "lock_timeout": "10s",
    "statement_timeout": "120s",
    "idle_in_transaction_session_timeout": "120s",
    "search_path": "public",
    "timezone": "UTC",
}
SET_SETTING = "SELECT set_config(%s, %s, false)"


def owner_uri(dsn: str, settings: Mapping[str, str]) -> DatabaseURI:
    """What yoyo passes to ``connect``: the connection string, and session settings beyond the usual ones."""
    args = {"dsn": dsn, "settings": {**SESSION_SETTINGS, **settings}}
    return DatabaseURI("postgresql+psycopg", None, None, None, None, "", args)


class OwnerBackend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo's backend on one connection string, whatever its form."""

    def connect(self, dburi: DatabaseURI) -> psycopg.Connection[Any]:
        """Open a connection with the session settings."""
        connection = psycopg.connect(dburi.args["dsn"], autocommit=True, connect_timeout=5)
        connection.add_notice_handler(_log_warning)
        for name, value in dburi.args["settings"].items():
            connection.execute(SET_SETTING, (name, value))
        return connection

    @contextlib.contextmanager
    def lock(self, timeout: float = 0) -> Iterator[None]:  # noqa: ARG002 - yoyo's signature
        """Nothing: the migrator holds an advisory lock, which ends with its session."""
        yield

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> dict[str, Any]:
        """The row of yoyo's log; yoyo's own way fails where the user has no name, and asks DNS for the host's."""
        return {
            "id": str(uuid.uuid4()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": str(os.geteuid()),
            "hostname": socket.gethostname(),
            "created_at_utc": dt.datetime.now(dt.UTC).replace(tzinfo=None),
            "operation": operation,
        }


def _log_warning(diagnostic: psycopg.errors.Diagnostic) -> None:
    if diagnostic.severity_nonlocalized == "WARNING":
        logger.warning("%s", diagnostic.message_primary)
