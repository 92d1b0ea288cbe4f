"""Changes of policies and clients are counted and told, also across a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from axonflow_database import Database
from support.postgres import Server, service_settings

INSERT_CLIENT = (
    "INSERT INTO clients (client_id, org_id, tenant_id, secret_sha256) VALUES (%s, 'a', 't', %s) ON CONFLICT DO NOTHING"
)
INSERT_POLICY = """
    INSERT INTO static_policies (org_id, policy_id, name, category, tier, pattern, severity, action)
    VALUES ('@system', 'sys_x', 'n', 'pii-global', 'system', 'x', 'low', 'log')
"""


async def heard(payloads: AsyncIterator[str]) -> str:
    async with asyncio.timeout(15):
        return await anext(payloads)


async def revision(database: Database, name: str) -> int:
    async with database.platform() as connection:
        row = await (await connection.execute("SELECT revision FROM revisions WHERE name = %s", (name,))).fetchone()
    assert row is not None
    return int(row[0])


async def add_client(database: Database, client: str) -> None:
    async with database.tenant("a") as connection:
        await connection.execute(INSERT_CLIENT, (client, b"x" * 32))


async def test_each_change_of_clients_is_counted_and_told(database: Database) -> None:
    payloads = database.listen("axonflow_clients")
    assert await heard(payloads) == ""
    before = await revision(database, "axonflow_clients")
    await add_client(database, "c")
    assert await heard(payloads) == str(before + 1)
    async with database.tenant("a") as connection:
        await connection.execute("UPDATE clients SET enabled = false")
        await connection.execute("DELETE FROM clients")
    assert [await heard(payloads), await heard(payloads)] == [str(before + 2), str(before + 3)]
    assert await revision(database, "axonflow_clients") == before + 3


async def test_a_statement_that_changes_no_row_is_no_change(database: Database) -> None:
    await add_client(database, "c")
    before = await revision(database, "axonflow_clients")
    await add_client(database, "c")
    async with database.tenant("b") as connection:
        await connection.execute("DELETE FROM clients")
    assert await revision(database, "axonflow_clients") == before


async def test_a_change_that_is_undone_is_not_counted(database: Database) -> None:
    before = await revision(database, "axonflow_policies")
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - one transaction
        async with database.platform() as connection:
            await connection.execute(INSERT_POLICY)
            raise ZeroDivisionError
    assert await revision(database, "axonflow_policies") == before


async def test_system_policies_are_told_on_their_own_channel(database: Database) -> None:
    payloads = database.listen("axonflow_policies")
    assert await heard(payloads) == ""
    await add_client(database, "c")
    async with database.platform() as connection:
        await connection.execute(INSERT_POLICY)
    assert await heard(payloads) == str(await revision(database, "axonflow_policies"))


async def test_a_listener_whose_connection_was_ended_says_look_again(database: Database, database_url: str) -> None:
    payloads = database.listen("axonflow_clients")
    assert await heard(payloads) == ""
    with psycopg.connect(database_url) as owner:
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    assert await heard(payloads) == ""
    await add_client(database, "c")
    assert await heard(payloads) == str(await revision(database, "axonflow_clients"))


async def test_a_listener_outlives_the_server(chaos_server: Server, chaos_database_url: str) -> None:
    database = await Database.open(service_settings(chaos_database_url))
    payloads = database.listen("axonflow_clients")
    assert await heard(payloads) == ""
    waiting = asyncio.create_task(heard(payloads))
    await asyncio.to_thread(chaos_server.stop)
    await asyncio.sleep(0.5)
    assert not waiting.done()
    await asyncio.to_thread(chaos_server.start)
    assert await waiting == ""
    await database.close()


async def test_a_listener_that_is_cancelled_leaves_no_connection(database: Database, database_url: str) -> None:
    async def follow() -> None:
        async for _ in database.listen("axonflow_clients"):
            ready.set()

    ready = asyncio.Event()
    task = asyncio.create_task(follow())
    await asyncio.wait_for(ready.wait(), 15)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    with psycopg.connect(database_url, autocommit=True) as owner:
        async with asyncio.timeout(5):
            while owner.execute(listening).fetchone() != (0,):
                await asyncio.sleep(0.02)
