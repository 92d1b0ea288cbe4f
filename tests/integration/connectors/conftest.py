"""One backend a connector: a server that holds five notes, and the calls that read and write them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import psycopg
import pymysql
import pytest
import pytest_asyncio
from axonflow_connectors import Call
from psycopg.conninfo import conninfo_to_dict
from support.connectors import ORG, ROWS, Backend
from support.data_servers import PASSWORD, free_port, running_mariadb, running_redis
from support.data_stand_ins import ACCESS_KEY, SECRET_KEY, SLACK_TOKEN, ApiStandIn, S3StandIn, SlackStandIn, listening
from support.postgres import Server

NOTES = [f"note {number}" for number in range(ROWS)]
SELECT_ALL = Call(statement="SELECT text FROM notes ORDER BY text")


def find(text: str) -> Call:
    return Call(statement="SELECT text FROM notes WHERE text = :text", parameters={"text": text})


def insert(text: str) -> Call:
    return Call(statement="INSERT INTO notes (text) VALUES (:text)", parameters={"text": text})


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """One empty database for all tests here; each makes its tables anew."""
    with postgres_server.database(template=None) as url:
        yield url


@asynccontextmanager
async def postgres(url: str) -> AsyncIterator[Backend]:
    given = conninfo_to_dict(url)
    async with await psycopg.AsyncConnection.connect(**given, autocommit=True) as connection:
        await connection.execute("DROP TABLE IF EXISTS notes")
        await connection.execute("CREATE TABLE notes (text text)")
        for note in NOTES:
            await connection.execute("INSERT INTO notes VALUES (%s)", [note])
    yield Backend(
        type="postgres",
        options={
            "host": "127.0.0.1",
            "port": int(given["port"]),
            "database": given["dbname"],
            "username": given["user"],
            "sslmode": "disable",
        },
        credentials={"password": str(given["password"])},
        read_all=SELECT_ALL,
        find=find,
        write=insert,
        write_by_query=insert("by query"),
        slow=lambda: Call(statement="SELECT pg_sleep(30)"),
        wrong={"password": "wrong-secret"},
        gone={"port": free_port()},
    )


@pytest.fixture(scope="session")
def mariadb_port() -> Iterator[int]:
    with running_mariadb() as port:
        yield port


@asynccontextmanager
async def mysql(port: int) -> AsyncIterator[Backend]:
    with pymysql.connect(
        host="127.0.0.1", port=port, user="caller", password=PASSWORD, database="shop", autocommit=True
    ) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE OR REPLACE TABLE notes (text varchar(200) CHARACTER SET utf8mb4)")
        cursor.executemany("INSERT INTO notes VALUES (%s)", [(note,) for note in NOTES])
    yield Backend(
        type="mysql",
        options={"host": "127.0.0.1", "port": port, "database": "shop", "username": "caller", "tls": "off"},
        credentials={"password": PASSWORD},
        read_all=SELECT_ALL,
        find=find,
        write=insert,
        write_by_query=insert("by query"),
        slow=lambda: Call(statement="SELECT SLEEP(30)"),
        wrong={"password": "wrong-secret"},
        gone={"port": free_port()},
    )


@asynccontextmanager
async def sqlite(root: Path) -> AsyncIterator[Backend]:
    (root / ORG).mkdir()
    connection = sqlite3.connect(root / ORG / "notes.db")
    connection.execute("CREATE TABLE notes (text TEXT)")
    connection.executemany("INSERT INTO notes VALUES (?)", [(note,) for note in NOTES])
    connection.commit()
    connection.close()
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS n FROM n"
    yield Backend(
        type="sqlite",
        options={"path": "notes.db", "writable": True},
        credentials={},
        read_all=SELECT_ALL,
        find=find,
        write=insert,
        write_by_query=insert("by query"),
        slow=lambda: Call(statement=endless),
        gone={"path": "nothing-here.db"},
        sqlite_root=root,
    )


@pytest.fixture(scope="session")
def redis_port() -> Iterator[int]:
    with running_redis() as port:
        yield port


@asynccontextmanager
async def redis(port: int) -> AsyncIterator[Backend]:
    backend = Backend(
        type="redis",
        options={"host": "127.0.0.1", "port": port},
        credentials={"password": PASSWORD},
        read_all=Call(statement="LRANGE notes 0 -1"),
        write=lambda text: Call(statement="RPUSH notes {text}", parameters={"text": text}),
        write_by_query=Call(statement="RPUSH notes", parameters=["by query"]),
        wrong={"password": "wrong-secret"},
        gone={"port": free_port()},
        cuts_bytes=False,
    )
    async with backend.opened() as connector:
        await connector.execute(Call(statement="DEL notes"))
        for note in NOTES:
            await connector.execute(backend.write(note))
    yield backend


@asynccontextmanager
async def http(_ground: None) -> AsyncIterator[Backend]:
    api = ApiStandIn()
    api.notes = [{"id": number, "text": note} for number, note in enumerate(NOTES)]

    def slow() -> Call:
        api.delay_s = 30
        return Call(statement="GET /notes")

    async with listening(api.app()) as port:
        yield Backend(
            type="http",
            options={
                "base_url": f"http://127.0.0.1:{port}/v1",
                "auth": "bearer",
                "rows_at": "data.items",
            },
            credentials={"token": api.token},
            read_all=Call(statement="GET /notes"),
            find=lambda text: Call(statement="/notes?text={text}", parameters={"text": text}),
            write=lambda text: Call(statement="POST /notes", parameters={"text": text}),
            write_by_query=Call(statement="POST /notes", parameters={"text": "by query"}),
            slow=slow,
            wrong={"token": "wrong-secret"},
            gone={"base_url": f"http://127.0.0.1:{free_port()}/v1"},
            cuts_bytes=False,
        )


@asynccontextmanager
async def s3(_ground: None) -> AsyncIterator[Backend]:
    store = S3StandIn()
    store.objects = {f"kept/{note}": ("text/plain", note.encode()) for note in NOTES}
    store.objects["elsewhere/secret"] = ("text/plain", b"not below the prefix")

    def slow() -> Call:
        store.delay_s = 30
        return Call(statement="list_objects")

    async with listening(store.app()) as port:
        yield Backend(
            type="s3",
            options={"bucket": "bucket", "endpoint": f"http://127.0.0.1:{port}", "prefix": "kept/"},
            credentials={"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY},
            read_all=Call(statement="list_objects"),
            find=lambda text: Call(statement="get_object", parameters={"key": text}),
            write=lambda text: Call(statement="put_object", parameters={"key": text, "body": text}),
            write_by_query=Call(statement="put_object", parameters={"key": "by query", "body": "x"}),
            slow=slow,
            wrong={"secret_access_key": "wrong-secret"},
            gone={"endpoint": f"http://127.0.0.1:{free_port()}"},
        )


@asynccontextmanager
async def slack(_ground: None) -> AsyncIterator[Backend]:
    workspace = SlackStandIn()
    workspace.messages["C0"] = [{"text": note, "ts": f"{number}.0"} for number, note in enumerate(NOTES)]

    def post(text: str) -> Call:
        return Call(statement="post_message", parameters={"channel": "C0", "text": text})

    def slow() -> Call:
        workspace.delay_s = 30
        return Call(statement="list_channels")

    async with listening(workspace.app()) as port:
        yield Backend(
            type="slack",
            options={"base_url": f"http://127.0.0.1:{port}/api"},
            credentials={"bot_token": SLACK_TOKEN},
            read_all=Call(statement="channel_history", parameters={"channel": "C0"}),
            write=post,
            write_by_query=post("by query"),
            slow=slow,
            wrong={"bot_token": "wrong-secret"},
            gone={"base_url": f"http://127.0.0.1:{free_port()}/api"},
        )


# each with the fixture that gives it its server
BACKENDS: dict[str, tuple[Callable[..., AbstractAsyncContextManager[Backend]], str]] = {
    "postgres": (postgres, "postgres_url"),
    "mysql": (mysql, "mariadb_port"),
    "sqlite": (sqlite, "tmp_path"),
    "redis": (redis, "redis_port"),
    "http": (http, ""),
    "s3": (s3, ""),
    "slack": (slack, ""),
}


@pytest.fixture(params=list(BACKENDS))
def ground(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Backend]:
    """Servers are started here, where no event loop runs yet."""
    make, fixture = BACKENDS[request.param]
    return make(request.getfixturevalue(fixture) if fixture else None)


@pytest_asyncio.fixture
async def backend(ground: AbstractAsyncContextManager[Backend]) -> AsyncIterator[Backend]:
    async with ground as made:
        yield made
