"""A followed value keeps in step with the database, and stays in force when it cannot be read again."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable

import pytest
from axonflow_database import Database, DatabaseUnavailable, Follower
from support.postgres import Server, service_settings

INSERT_CLIENT = "INSERT INTO clients (client_id, org_id, tenant_id, secret_sha256) VALUES (%s, 'a', 't', %s)"
NEVER_S = 3600.0  # polling that a test does not wait for


async def add_client(database: Database, client: str) -> None:
    async with database.tenant("a") as connection:
        await connection.execute(INSERT_CLIENT, (client, b"x" * 32))


@dataclasses.dataclass
class Clients:
    """What is followed here: the ids of all clients; ``broken`` makes reading fail as a bad row would."""

    database: Database
    broken: bool = False
    loads: int = 0

    async def load(self) -> list[str]:
        self.loads += 1
        if self.broken:
            raise ValueError("a row that cannot be understood")
        async with self.database.platform() as connection:
            cursor = await connection.execute("SELECT client_id FROM clients ORDER BY 1")
            return [row[0] for row in await cursor.fetchall()]


@contextlib.asynccontextmanager
async def following(clients: Clients, poll_s: float) -> AsyncIterator[Follower[list[str]]]:
    follower: Follower[list[str]] = Follower(clients.database, "axonflow_clients", clients.load, poll_s=poll_s)
    await follower.start()
    try:
        yield follower
    finally:
        await follower.close()


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not reached():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("poll_s", [0.05, NEVER_S])
async def test_a_change_is_followed(database: Database, poll_s: float) -> None:
    clients = Clients(database)
    async with following(clients, poll_s) as follower:
        assert follower.current == []
        await add_client(database, "c")
        await until(lambda: follower.current == ["c"])


async def test_what_did_not_change_is_not_loaded_again(database: Database) -> None:
    clients = Clients(database)
    async with following(clients, 0.01):
        await asyncio.sleep(0.3)
        assert clients.loads == 1


async def test_a_failed_reload_keeps_the_value_and_is_tried_again(database: Database) -> None:
    clients = Clients(database)
    await add_client(database, "c1")
    async with following(clients, 0.05) as follower:
        clients.broken = True
        await add_client(database, "c2")
        await until(lambda: clients.loads >= 3)
        assert follower.current == ["c1"]
        clients.broken = False
        await until(lambda: follower.current == ["c1", "c2"])


async def test_a_first_load_that_fails_is_raised(database: Database) -> None:
    follower: Follower[list[str]] = Follower(database, "axonflow_clients", Clients(database, broken=True).load)
    with pytest.raises(ValueError, match="cannot be understood"):
        await follower.start()
    assert follower.current is None


async def test_a_value_stays_in_force_while_the_server_is_away(chaos_server: Server, chaos_database_url: str) -> None:
    database = await Database.open(service_settings(chaos_database_url))
    await add_client(database, "c1")
    async with following(Clients(database), 0.05) as follower:
        await asyncio.to_thread(chaos_server.stop)
        with pytest.raises(DatabaseUnavailable):
            await add_client(database, "c2")
        assert follower.current == ["c1"]
        await until(lambda: follower.age_s > 1)
        await asyncio.to_thread(chaos_server.start)
        await until(lambda: follower.age_s < 1)
        await add_client(database, "c2")
        await until(lambda: follower.current == ["c1", "c2"])
    await database.close()


async def test_closing_ends_even_what_forgets_a_cancellation(database: Database) -> None:
    reloading = asyncio.Event()

    async def load() -> list[str]:
        if not reloading.is_set() and follower.current is None:
            return []
        reloading.set()
        with contextlib.suppress(asyncio.CancelledError):  # as the driver does while it connects
            await asyncio.sleep(NEVER_S)
        await asyncio.sleep(NEVER_S)
        return []

    follower: Follower[list[str]] = Follower(database, "axonflow_clients", load, poll_s=0.05)
    await follower.start()
    await add_client(database, "one")
    async with asyncio.timeout(15):
        await reloading.wait()
    closing = asyncio.create_task(follower.close())
    ended, _ = await asyncio.wait({closing}, timeout=15)
    assert ended
