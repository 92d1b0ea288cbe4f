"""Partitions of the months ahead are made by the platform role while a service runs."""

from __future__ import annotations

import asyncio

import psycopg
from axonflow_database import Database, make_partitions, partition_keeper

PARTITIONS = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_logs'::regclass"


def partitions(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(PARTITIONS).fetchone()
    assert row is not None
    return int(row[0])


def drop_the_last(url: str) -> None:
    last = "SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'audit_logs'::regclass"
    not_default = " AND inhrelid::regclass::text <> 'audit_logs_default'"
    with psycopg.connect(url) as connection:
        row = connection.execute(last + not_default).fetchone()
        assert row is not None
        connection.execute(f"DROP TABLE {row[0]}".encode())


async def test_a_month_that_is_missing_is_made_once_by_keepers_that_ask_at_once(
    database: Database, database_url: str
) -> None:
    whole = partitions(database_url)
    drop_the_last(database_url)
    assert partitions(database_url) == whole - 1
    made = await asyncio.gather(*(make_partitions(database) for _ in range(3)))
    assert (sorted(made), partitions(database_url)) == ([0, 0, 1], whole)


async def test_a_running_keeper_looks_again_and_again(database: Database, database_url: str) -> None:
    whole = partitions(database_url)
    keeper = partition_keeper(database, every_s=0.05)
    keeper.start()
    try:
        drop_the_last(database_url)
        async with asyncio.timeout(30):
            while partitions(database_url) != whole:
                await asyncio.sleep(0.05)
    finally:
        await keeper.close()
