"""What can go wrong with the database, as callers see it; the driver's error is the cause."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg


class DatabaseUnavailable(Exception):
    """PostgreSQL did not answer in time, refused, or went away; the statement may be tried again later.

    When it is raised at the end of a transaction, whether the work was committed is unknown.
    """


class MigrationError(Exception):
    """The schema could not be brought up to date; the text is a sentence that says what to do."""


# Failures of the server or the way to it. All else (a constraint, a missing right) is the caller's to understand.
_UNAVAILABLE = (
    psycopg.OperationalError,  # the pool's own errors are of this kind
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # a replica that is being promoted
)


@contextlib.contextmanager
def driver_errors() -> Iterator[None]:
    """Turn the driver's ways of saying "not now" into ``DatabaseUnavailable``."""
    try:
        yield
    except _UNAVAILABLE as error:
        raise DatabaseUnavailable(f"PostgreSQL is not available: {type(error).__name__}") from error
