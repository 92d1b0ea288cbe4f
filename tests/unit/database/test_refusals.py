"""What can be refused without a server."""

from __future__ import annotations

import socket

import psycopg
import psycopg_pool
import pytest
from axonflow_database import DatabaseUnavailable, MigrationError, migrate
from axonflow_database.errors import driver_errors
from support.postgres import service_settings


def test_an_unreadable_url_is_named_and_never_quoted() -> None:
    with pytest.raises(MigrationError) as refusal:
        migrate(service_settings("not a url, sesame"))
    assert "DATABASE_URL" in str(refusal.value)
    assert "sesame" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_server_that_is_not_there_is_a_sentence_without_the_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses connections
        url = f"postgresql://axonflow:sesame@127.0.0.1:{taken.getsockname()[1]}/axonflow"
        with pytest.raises(MigrationError) as refusal:
            migrate(service_settings(url), connect_wait_s=0)
    assert "check that it runs and that DATABASE_URL names it" in str(refusal.value)
    assert "sesame" not in str(refusal.value)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("server closed the connection"),
        psycopg.errors.AdminShutdown(),
        psycopg.errors.QueryCanceled(),
        psycopg.errors.ReadOnlySqlTransaction(),
        psycopg.InterfaceError("the connection is closed"),
        psycopg_pool.PoolTimeout(),
        psycopg_pool.TooManyRequests(),
        psycopg_pool.PoolClosed(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_server_that_does_not_answer_is_unavailable(error: Exception) -> None:
    with pytest.raises(DatabaseUnavailable) as unavailable, driver_errors():
        raise error
    assert unavailable.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [psycopg.errors.UniqueViolation(), psycopg.errors.InsufficientPrivilege(), KeyError()]
)
def test_what_the_caller_did_wrong_stays_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)), driver_errors():
        raise error
