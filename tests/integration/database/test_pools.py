"""Connections give up the owner's rights, waits are bounded, and a server that comes back is found."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from axonflow_database import Connection, Database, DatabaseUnavailable, UnsafeLogin, internal_secret, migrate
from axonflow_database.pool import ACQUIRE_WAIT_S
from axonflow_settings import Secret, ServiceSettings
from psycopg import sql
from support.postgres import Server, service_settings

LONG = "x" * 32
INSERT_ORG = "INSERT INTO organizations (org_id, name) VALUES ('a', 'A')"


async def one(connection: Connection, query: str) -> object:
    row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return row[0]


@contextlib.asynccontextmanager
async def opened(settings: ServiceSettings) -> AsyncIterator[Database]:
    database = await Database.open(settings)
    try:
        yield database
    finally:
        await database.close()


async def test_no_connection_stays_a_superuser(database: Database) -> None:
    superuser = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    async with database.tenant("a") as connection:
        assert (await one(connection, "SELECT current_user"), await one(connection, superuser)) == (
            "axonflow_app",
            False,
        )
    async with database.platform() as connection:
        assert (await one(connection, "SELECT current_user"), await one(connection, superuser)) == (
            "axonflow_platform",
            False,
        )
    async with await database.audit_connection() as connection:
        assert (await one(connection, "SELECT current_user"), await one(connection, superuser)) == (
            "axonflow_audit_writer",
            False,
        )


@pytest.mark.parametrize("escape", ["RESET ROLE", "SET ROLE NONE", "SET SESSION AUTHORIZATION DEFAULT", "DISCARD TEMP"])
async def test_a_role_taken_back_does_not_outlive_its_transaction(database: Database, escape: str) -> None:
    async with database.tenant("a") as connection:
        await connection.execute(escape)
    for _ in range(5):
        async with database.tenant("a") as connection:
            assert await one(connection, "SELECT current_user") == "axonflow_app"


async def test_work_is_committed_at_the_end_and_undone_by_an_exception(database: Database) -> None:
    async with database.tenant("a") as connection:
        await connection.execute(INSERT_ORG)
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - one transaction
        async with database.tenant("a") as connection:
            await connection.execute("DELETE FROM clients")
            await connection.execute("UPDATE organizations SET name = 'B'")
            raise ZeroDivisionError
    async with database.tenant("a") as connection:
        assert await one(connection, "SELECT name FROM organizations") == "A"


async def test_a_constraint_reaches_the_caller_as_it_is(database: Database) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):  # noqa: PT012 - one transaction
        async with database.tenant("a") as connection:
            await connection.execute(INSERT_ORG)
            await connection.execute(INSERT_ORG)


async def test_a_transaction_with_a_failed_statement_is_never_silently_undone(database: Database) -> None:
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):  # noqa: PT012 - one transaction
        async with database.tenant("a") as connection:
            await connection.execute(INSERT_ORG)
            with contextlib.suppress(psycopg.errors.UniqueViolation):
                await connection.execute(INSERT_ORG)


async def test_a_savepoint_of_the_callers_own_works(database: Database) -> None:
    async with database.tenant("a") as connection:
        await connection.execute(INSERT_ORG)
        with contextlib.suppress(psycopg.errors.UniqueViolation):
            async with connection.transaction():
                await connection.execute(INSERT_ORG)
    async with database.tenant("a") as connection:
        assert await one(connection, "SELECT count(*) FROM organizations") == 1


async def test_cancelled_work_gives_its_connection_back(database: Database) -> None:
    async def endless() -> None:
        async with database.platform() as connection:
            await connection.execute("SELECT pg_sleep(5)")

    for _ in range(6):  # more than the pool has
        task = asyncio.create_task(endless())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await database.answers()


async def test_an_exhausted_pool_is_unavailable_and_not_a_pile_up(settings: ServiceSettings) -> None:
    async with opened(service_settings(settings.database_url.reveal(), AXONFLOW_DB_POOL_SIZE="1")) as database:
        async with database.platform():
            answers = await asyncio.gather(*(database.answers() for _ in range(300)))
        assert answers == [False] * 300
        assert await database.answers()


async def test_connections_that_a_restart_killed_are_not_noticed_by_callers(
    chaos_server: Server, chaos_database_url: str
) -> None:
    async with opened(service_settings(chaos_database_url)) as database:
        await asyncio.gather(*(database.answers() for _ in range(20)))
        for end in (chaos_server.stop, chaos_server.kill):
            await asyncio.to_thread(end)
            await asyncio.to_thread(chaos_server.start)
            assert all(await asyncio.gather(*(database.answers() for _ in range(20))))


async def test_a_server_that_is_away_is_unavailable_and_found_again(
    chaos_server: Server, chaos_database_url: str
) -> None:
    async with opened(service_settings(chaos_database_url)) as database:
        await asyncio.to_thread(chaos_server.stop)
        for _ in range(3):
            with pytest.raises(DatabaseUnavailable):
                async with database.tenant("a"):
                    pass
        with pytest.raises(DatabaseUnavailable):
            await database.audit_connection()
        await asyncio.to_thread(chaos_server.start)
        async with asyncio.timeout(15):
            while not await database.answers():
                await asyncio.sleep(0.1)


async def test_a_server_that_dies_under_a_transaction_is_unavailable(
    chaos_server: Server, chaos_database_url: str
) -> None:
    async with opened(service_settings(chaos_database_url)) as database:
        with pytest.raises(DatabaseUnavailable):  # noqa: PT012 - one transaction
            async with database.tenant("a") as connection:
                await asyncio.to_thread(chaos_server.kill)
                await connection.execute("SELECT 1")
        await asyncio.to_thread(chaos_server.start)


async def test_a_server_that_stops_answering_is_unavailable_within_the_bounded_wait(
    chaos_server: Server, chaos_database_url: str
) -> None:
    async with opened(service_settings(chaos_database_url)) as database:
        await asyncio.gather(*(database.answers() for _ in range(8)))
        with chaos_server.frozen():
            async with asyncio.timeout(2 * ACQUIRE_WAIT_S + 5):
                assert not any(await asyncio.gather(*(database.answers() for _ in range(8))))
        async with asyncio.timeout(15):
            while not await database.answers():
                await asyncio.sleep(0.1)


async def test_opening_without_a_server_says_so(chaos_server: Server, chaos_database_url: str) -> None:
    await asyncio.to_thread(chaos_server.stop)
    with pytest.raises(DatabaseUnavailable):
        await Database.open(service_settings(chaos_database_url))


async def test_a_closed_database_is_unavailable(settings: ServiceSettings) -> None:
    database = await Database.open(settings)
    await database.close()
    with pytest.raises(DatabaseUnavailable):
        async with database.platform():
            pass


def test_a_process_that_fails_without_closing_ends(settings: ServiceSettings) -> None:
    async def fail() -> None:
        database = await Database.open(settings)
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(database.answers())
            raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        asyncio.run(fail())


# --- logins of the roles' own ---


@pytest.fixture
def role_logins(postgres_server: Server) -> Iterator[None]:
    statements = [
        "CREATE ROLE test_app_login LOGIN PASSWORD 'made-up' IN ROLE axonflow_app",
        "CREATE ROLE test_platform_login LOGIN PASSWORD 'made-up' IN ROLE axonflow_platform",
        "CREATE ROLE test_super_login LOGIN SUPERUSER PASSWORD 'made-up'",
    ]
    for statement in statements:
        postgres_server.execute(sql.SQL(statement))
    yield
    for name in ("test_app_login", "test_platform_login", "test_super_login"):
        postgres_server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def as_login(url: str, name: str) -> str:
    return f"postgresql://{name}:made-up@{url.split('@')[1]}"


@pytest.mark.usefixtures("role_logins")
async def test_logins_of_the_roles_own_are_used_when_named(database_url: str) -> None:
    settings = service_settings(
        database_url,
        AXONFLOW_DB_APP_ROLE_URL=as_login(database_url, "test_app_login"),
        AXONFLOW_DB_PLATFORM_ADMIN_URL=as_login(database_url, "test_platform_login"),
    )
    async with opened(settings) as database:
        async with database.tenant("a") as connection:
            assert await one(connection, "SELECT session_user") == "test_app_login"
            await connection.execute(INSERT_ORG)
        async with database.tenant("b") as connection:
            assert await one(connection, "SELECT count(*) FROM organizations") == 0
        async with database.platform() as connection:
            assert await one(connection, "SELECT session_user") == "test_platform_login"
            assert await one(connection, "SELECT count(*) FROM organizations") == 2


@pytest.mark.usefixtures("role_logins")
async def test_a_login_that_ignores_row_security_is_refused(database_url: str) -> None:
    for variable in ("AXONFLOW_DB_APP_ROLE_URL", "AXONFLOW_DB_PLATFORM_ADMIN_URL"):
        settings = service_settings(database_url, **{variable: as_login(database_url, "test_super_login")})
        with pytest.raises(UnsafeLogin, match=variable):
            await Database.open(settings)


# --- the secret ---


async def test_the_generated_secret_is_long_and_the_same_for_all(settings: ServiceSettings) -> None:
    async with opened(settings) as agent, opened(settings) as portal:
        secret = await internal_secret(settings, agent)
        assert await internal_secret(settings, portal) == secret
    assert len(secret.reveal()) >= 32


async def test_a_secret_that_is_set_is_used_and_none_is_generated(empty_database_url: str) -> None:
    settings = service_settings(empty_database_url, AXONFLOW_INTERNAL_SERVICE_SECRET=LONG)
    await asyncio.to_thread(migrate, settings)
    async with opened(settings) as database:
        assert await internal_secret(settings, database) == Secret(LONG)
        with pytest.raises(DatabaseUnavailable, match="AXONFLOW_INTERNAL_SERVICE_SECRET"):
            await internal_secret(service_settings(empty_database_url), database)
