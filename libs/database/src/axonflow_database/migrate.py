"""Brings the schema up to date at every boot, before any listener opens; one process at a time.

The files in ``migrations/`` are applied by yoyo under an advisory lock. 001-093 are the ground, 094 is the production
guard, which is asked again at every boot; later work begins at 101.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import yoyo
import yoyo.exceptions
from axonflow_settings import DeploymentMode, Secret, ServiceSettings
from psycopg import conninfo

from axonflow_database.backend import MIGRATION_TABLE, OwnerBackend, owner_uri
from axonflow_database.errors import MigrationError
from axonflow_database.roles import UnsafeRole, make_roles
from axonflow_database.secret import INTERNAL_SECRET_NAME, SEALING_KEY_NAME

logger = logging.getLogger("axonflow.database")

MIGRATIONS = Path(__file__).parent / "migrations"

CONNECT_WAIT_S = 30.0
LOCK_WAIT_MS = 120_000
_RETRY_EVERY_S = 0.5

_LOCK_KEY = 8_410_094_001  # any number that no other user of the database takes
_GUARD_STATE = "AX094"  # raised by axonflow_deployment_guard()

SET_LOCK_WAIT = "SELECT set_config('lock_timeout', %s, false)"
TAKE_LOCK = "SELECT pg_advisory_lock(%s)"
GUARD_EXISTS = "SELECT to_regprocedure('public.axonflow_deployment_guard()') IS NOT NULL"
CHECK_GUARD = "SELECT axonflow_deployment_guard()"
MAKE_PARTITIONS = "SELECT axonflow_make_partitions()"
SEED_ORGANIZATION = """
    INSERT INTO organizations (org_id, name, tier, max_nodes) VALUES (%(org_id)s, %(org_id)s, 'Community', 2)
    ON CONFLICT DO NOTHING
"""
SEED_ROW = "INSERT INTO deployment_secrets (name, value) VALUES (%s, %s) ON CONFLICT DO NOTHING"

_GENERATES_SECRET = {DeploymentMode.COMMUNITY, DeploymentMode.COMMUNITY_SAAS}


def migrate(settings: ServiceSettings, *, directory: Path = MIGRATIONS, connect_wait_s: float = CONNECT_WAIT_S) -> None:
    """Make the roles, apply what is missing, ask the production guard, and see to what every boot needs.

    Blocks; meant for the start of a process. Services that boot together wait for one another, and each migration is
    applied once. A crash at any point is mended by the next run.

    Args:
        settings: names the database by its owner's connection string, and the deployment.
        directory: where the migration files are.
        connect_wait_s: how long to wait for a server that is still starting.

    Raises:
        MigrationError: the service must not start; the text says why and what to do.
    """
    dsn = _checked(settings.owner_dsn)
    with _sentences(), _connected(dsn, connect_wait_s) as connection:
        _take_lock(connection)
        make_roles(connection)
        backend = _backend(dsn, settings)
        with backend:
            _check_guard(backend.connection)  # before any change; on a new database 094 itself asks
            _apply(backend, directory)
            _see_to_each_boot(backend.connection, settings)


def _backend(dsn: str, settings: ServiceSettings) -> OwnerBackend:
    deployment = {"app.deployment_org_id": settings.org_id, "app.deployment_kind": settings.deployment_kind.value}
    return OwnerBackend(owner_uri(dsn, deployment), MIGRATION_TABLE)


def _apply(backend: OwnerBackend, directory: Path) -> None:
    try:
        waiting = list(backend.to_apply(yoyo.read_migrations(str(directory))))
    except yoyo.exceptions.BadMigration as error:
        raise MigrationError(
            f"a migration in {directory} cannot be read ({error}): install the service again"
        ) from error
    for migration in waiting:  # one by one: yoyo's apply_migrations() passes over a file that cannot be read
        with _named(migration.id):
            backend.apply_one(migration)
        logger.info("migration applied", extra={"migration": migration.id})


@contextlib.contextmanager
def _named(migration: str) -> Iterator[None]:
    try:
        yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
        raise MigrationError(
            f"migration {migration} waited too long for a lock or took too long, and was undone: start the service "
            "again when the database is less busy"
        ) from error
    except psycopg.OperationalError:
        raise  # the server went away, which is no fault of this migration
    except psycopg.Error as error:
        if error.sqlstate == _GUARD_STATE:
            raise
        raise MigrationError(
            f"migration {migration} failed and was undone ({_first_line(error)}): mend the cause and start the service "
            "again; the migrations before it stay applied"
        ) from error


def _check_guard(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute(GUARD_EXISTS).fetchone()
    if row is not None and row[0]:
        connection.execute(CHECK_GUARD)


def _see_to_each_boot(connection: psycopg.Connection[Any], settings: ServiceSettings) -> None:
    connection.execute(MAKE_PARTITIONS)
    connection.execute(SEED_ORGANIZATION, {"org_id": settings.org_id})
    if settings.internal_secret is None and settings.mode in _GENERATES_SECRET:
        connection.execute(SEED_ROW, (INTERNAL_SECRET_NAME, secrets.token_hex(32)))
    if not settings.sealing_keys and settings.mode in _GENERATES_SECRET:
        connection.execute(SEED_ROW, (SEALING_KEY_NAME, secrets.token_hex(32)))


def _take_lock(connection: psycopg.Connection[Any]) -> None:
    connection.execute(SET_LOCK_WAIT, (str(LOCK_WAIT_MS),))
    try:
        connection.execute(TAKE_LOCK, (_LOCK_KEY,))
    except psycopg.errors.LockNotAvailable as error:
        raise MigrationError(
            f"another service has been migrating this database for more than {LOCK_WAIT_MS // 1000} s: see its log, "
            "then start this one again"
        ) from error


@contextlib.contextmanager
def _connected(dsn: str, wait_s: float) -> Iterator[psycopg.Connection[Any]]:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            connection = psycopg.connect(dsn, autocommit=True, connect_timeout=5)
        except psycopg.OperationalError as error:
            # A server that answered has a reason to refuse (a wrong password); one that is starting has none yet.
            starting = error.sqlstate is None or isinstance(error, psycopg.errors.CannotConnectNow)
            if not starting or time.monotonic() >= deadline or "authentication failed" in str(error):
                raise
            time.sleep(_RETRY_EVERY_S)
        else:
            break
    with connection:
        yield connection


@contextlib.contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except UnsafeRole as error:
        raise MigrationError(str(error)) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise MigrationError(
            f"the user of DATABASE_URL may not do what migrations need ({_first_line(error)}): it must own the "
            "database and have CREATEROLE"
        ) from error
    except psycopg.Error as error:
        if error.sqlstate == _GUARD_STATE:
            raise MigrationError(error.diag.message_primary or "the production guard refuses") from error
        raise MigrationError(
            f"PostgreSQL cannot be used ({_first_line(error)}): check that it runs and that DATABASE_URL names it"
        ) from error


def _checked(dsn: Secret) -> str:
    try:
        conninfo.conninfo_to_dict(dsn.reveal())
    except psycopg.ProgrammingError:
        raise MigrationError(
            "DATABASE_URL cannot be read: it must look like postgresql://user:password@host:5432/database"
        ) from None  # the driver's text repeats the value, password included
    return dsn.reveal()


def _first_line(error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error)
    return next(iter(text.splitlines()), "no reason given").strip()
