"""Ways in which a read has been made to write, run another statement or reach files, each refused by the other side."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axonflow_connectors import Call, Connector, ConnectorFault, FaultKind, Limits
from psycopg.conninfo import conninfo_to_dict
from support.connectors import ORG, Backend
from support.data_servers import PASSWORD

NOTHING = Call(statement="")
REFUSED = {FaultKind.READ_ONLY, FaultKind.REQUEST, FaultKind.FAILED}


def of(type_: str, options: dict[str, object], credentials: dict[str, str], root: Path | None = None) -> Backend:
    return Backend(
        type=type_,
        options=options,
        credentials=credentials,
        read_all=NOTHING,
        write=lambda _: NOTHING,
        write_by_query=NOTHING,
        sqlite_root=root,
    )


@pytest_asyncio.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Connector]:
    given = conninfo_to_dict(postgres_url)
    options = {
        "host": "127.0.0.1",
        "port": int(given["port"] or 0),
        "database": given["dbname"],
        "username": given["user"],
        "sslmode": "disable",
    }
    async with of("postgres", options, {"password": str(given["password"])}).opened() as connector:
        await connector.execute(Call(statement="DROP TABLE IF EXISTS t CASCADE"))
        await connector.execute(Call(statement="DROP FUNCTION IF EXISTS sneak"))
        await connector.execute(Call(statement="CREATE TABLE t AS SELECT 1 AS a"))
        await connector.execute(
            Call(statement="CREATE FUNCTION sneak() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (9) RETURNING 1'")
        )
        yield connector


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT sneak()",
        "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
        "SELECT 1; DELETE FROM t",
        "SELECT 1; COMMIT; DELETE FROM t",
        "SELECT 1 FROM t; ROLLBACK; BEGIN READ WRITE; DELETE FROM t; COMMIT",
        "SELECT set_config('transaction_read_only', 'off', true), sneak()",
        "SELECT * INTO u FROM t",
        "SELECT * FROM t FOR UPDATE",
        "SELECT nextval('pg_class_oid_seq')",
        "/* x */ DELETE FROM t",
        "COPY t TO PROGRAM 'id'",
        "DO $$ BEGIN DELETE FROM t; END $$",
    ],
)
async def test_postgres_refuses_a_write_in_a_read(postgres: Connector, statement: str) -> None:
    for _ in range(2):
        with pytest.raises(ConnectorFault) as fault:
            await postgres.query(Call(statement=statement))
        assert fault.value.kind in REFUSED
    assert (await postgres.query(Call(statement="SELECT a FROM t"))).rows == [{"a": 1}]


async def test_postgres_takes_one_statement_in_a_write(postgres: Connector) -> None:
    with pytest.raises(ConnectorFault) as fault:
        await postgres.execute(Call(statement="INSERT INTO t VALUES (2); DELETE FROM t"))
    assert fault.value.kind is FaultKind.FAILED
    assert (await postgres.query(Call(statement="SELECT a FROM t"))).row_count == 1


async def test_postgres_hands_no_session_to_the_next_caller(postgres: Connector) -> None:
    await postgres.execute(Call(statement="SET search_path = 'pg_catalog'"))
    await postgres.execute(Call(statement="SELECT pg_advisory_lock(7)"))
    await postgres.query(Call(statement="SELECT set_config('statement_timeout', '0', false)"))
    rows = await postgres.query(
        Call(
            statement="SELECT current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout, "
            "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') AS locks",
            limits=Limits(timeout_s=7),
        )
    )
    assert rows.rows == [{"path": '"$user", public', "timeout": "7s", "locks": 0}]


async def test_postgres_gives_back_what_a_write_returns(postgres: Connector) -> None:
    written = await postgres.execute(Call(statement="INSERT INTO t VALUES ($1), ($2) RETURNING a", parameters=[2, 3]))
    assert written.rows_affected == 2
    assert written.answer.rows == [{"a": 2}, {"a": 3}]


async def test_postgres_stops_reading_at_the_limit(postgres: Connector) -> None:
    endless = "SELECT repeat('x', 1000) AS x FROM generate_series(1, 9999) a, generate_series(1, 9999) b"
    rows = await postgres.query(Call(statement=endless, limits=Limits(max_rows=1000)))
    assert (rows.row_count, rows.truncated) == (1000, "rows")
    rows = await postgres.query(Call(statement=endless, limits=Limits(max_rows=0, max_bytes=100_000)))
    assert rows.truncated == "bytes"


@pytest_asyncio.fixture
async def mysql(mariadb_port: int) -> AsyncIterator[Connector]:
    options = {"host": "127.0.0.1", "port": mariadb_port, "database": "shop", "username": "caller", "tls": "off"}
    async with of("mysql", options, {"password": PASSWORD}).opened() as connector:
        await connector.execute(Call(statement="CREATE OR REPLACE TABLE t AS SELECT 1 AS a"))
        yield connector


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM t",
        "SELECT 1; DELETE FROM t",
        "DROP TABLE t",
        "COMMIT",
        "EXECUTE IMMEDIATE 'DELETE FROM t'",
        "SET SESSION TRANSACTION READ WRITE",
        "SELECT * FROM t INTO OUTFILE '/tmp/axonflow-test-outfile'",
        "SELECT * FROM t INTO/**/DUMPFILE '/tmp/axonflow-test-outfile'",
        "SELECT LOAD_FILE('/etc/passwd')",
        "SELECT 1 /*! INTO OUTFILE '/tmp/axonflow-test-outfile' */",
        "/*M!100000 DELETE FROM t */",
        "SELECT NEXTVAL(s)",
        "EXPLAIN DELETE FROM t; DELETE FROM t",
        "ANALYZE DELETE FROM t",
        "WITH x AS (SELECT 1) DELETE FROM t",
    ],
)
async def test_mysql_refuses_a_write_in_a_read(mysql: Connector, statement: str) -> None:
    with pytest.raises(ConnectorFault) as fault:
        await mysql.query(Call(statement=statement))
    assert fault.value.kind in REFUSED
    assert (await mysql.query(Call(statement="SELECT a FROM t"))).rows == [{"a": 1}]


async def test_mysql_stops_reading_at_the_limit(mysql: Connector) -> None:
    endless = "SELECT REPEAT('x', 1000) AS x FROM seq_1_to_1000000000"
    rows = await mysql.query(Call(statement=endless, limits=Limits(max_rows=1000)))
    assert (rows.row_count, rows.truncated) == (1000, "rows")
    rows = await mysql.query(Call(statement=endless, limits=Limits(max_rows=0, max_bytes=100_000)))
    assert rows.truncated == "bytes"


async def test_mysql_counts_and_returns_what_a_write_did(mysql: Connector) -> None:
    written = await mysql.execute(Call(statement="INSERT INTO t VALUES (?), (?)", parameters=[2, 3]))
    assert written.rows_affected == 2
    written = await mysql.execute(Call(statement="DELETE FROM t WHERE a > 1 RETURNING a", limits=Limits(max_rows=1)))
    assert written.answer.truncated == "rows"
    assert (await mysql.query(Call(statement="SELECT a FROM t"))).row_count == 1


@pytest_asyncio.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Connector]:
    (tmp_path / ORG).mkdir()
    with sqlite3.connect(tmp_path / ORG / "t.db") as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    connection.close()
    async with of("sqlite", {"path": "t.db", "writable": True}, {}, tmp_path).opened() as connector:
        yield connector


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH '{root}/other.db' AS other",
        "VACUUM INTO '{root}/copy.db'",
        "PRAGMA writable_schema = ON",
        "PRAGMA query_only = OFF",
        "PRAGMA temp_store_directory = '/tmp'",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT 1; DELETE FROM t",
    ],
)
async def test_sqlite_reaches_no_other_file_in_a_read_or_a_write(
    sqlite: Connector, tmp_path: Path, statement: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    for method in (sqlite.query, sqlite.execute):
        with pytest.raises(ConnectorFault) as fault:
            await method(Call(statement=statement.format(root=tmp_path)))
        assert fault.value.kind in REFUSED
    assert sorted(tmp_path.rglob("*")) == before
    assert (await sqlite.query(Call(statement="SELECT a FROM t"))).rows == [{"a": 1}]


@pytest.mark.parametrize("statement", ["DELETE FROM t", "DROP TABLE t", "CREATE TABLE u (a)", "VACUUM"])
async def test_sqlite_refuses_a_write_in_a_read(sqlite: Connector, statement: str) -> None:
    with pytest.raises(ConnectorFault) as fault:
        await sqlite.query(Call(statement=statement))
    assert fault.value.kind in REFUSED


async def test_sqlite_makes_no_value_larger_than_the_limit(sqlite: Connector) -> None:
    with pytest.raises(ConnectorFault) as fault:
        await sqlite.query(Call(statement="SELECT zeroblob(900000000) AS z"))
    assert fault.value.kind is FaultKind.TOO_LARGE
    assert (await sqlite.query(Call(statement="PRAGMA table_info(t)"))).rows[0]["name"] == "a"


async def test_sqlite_that_is_installed_for_reading_does_not_write(sqlite: Connector, tmp_path: Path) -> None:
    async with of("sqlite", {"path": "t.db"}, {}, tmp_path).opened() as reading:
        with pytest.raises(ConnectorFault) as fault:
            await reading.execute(Call(statement="DELETE FROM t"))
    assert fault.value.kind is FaultKind.READ_ONLY


@pytest_asyncio.fixture
async def redis(redis_port: int) -> AsyncIterator[Connector]:
    async with of("redis", {"host": "127.0.0.1", "port": redis_port}, {"password": PASSWORD}).opened() as connector:
        await connector.execute(Call(statement="DEL h big"))
        yield connector


@pytest.mark.parametrize(
    "statement",
    [
        "EVAL 'return 1' 0",
        "CONFIG GET *",
        "KEYS *",
        "FLUSHALL",
        "SHUTDOWN",
        "MONITOR",
        "SUBSCRIBE x",
        "MULTI",
        "AUTH x",
        "DEBUG SLEEP 1",
        "SLAVEOF evil.example 1",
        "SORT x STORE y",
        "BLPOP x 0",
        "FCALL f 0",
        "MIGRATE",
    ],
)
async def test_redis_takes_nothing_that_is_on_neither_list(redis: Connector, statement: str) -> None:
    for method in (redis.query, redis.execute):
        with pytest.raises(ConnectorFault) as fault:
            await method(Call(statement=statement))
        assert fault.value.kind is FaultKind.REQUEST


async def test_redis_shows_hashes_as_fields_and_stops_at_the_limit(redis: Connector) -> None:
    hostile = "a b\r\nFLUSHALL\r\n"
    await redis.execute(Call(statement="HSET h name {name} n 1", parameters={"name": hostile}))
    rows = await redis.query(Call(statement="HGETALL h"))
    assert rows.rows == [{"field": "name", "value": hostile}, {"field": "n", "value": "1"}]
    await redis.execute(Call(statement="SET big", parameters=["x" * 200_000]))
    with pytest.raises(ConnectorFault) as fault:
        await redis.query(Call(statement="GET big", limits=Limits(max_bytes=100_000)))
    assert fault.value.kind is FaultKind.TOO_LARGE
    assert (await redis.query(Call(statement="GET nothing"))).rows == [{"value": None}]
