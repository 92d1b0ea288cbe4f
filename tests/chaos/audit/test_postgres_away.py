"""PostgreSQL stopped, killed and frozen under load: calls go on, and every entry has exactly one row afterwards."""

import asyncio
import contextlib

import psutil
import pytest
from axonflow_audit import AuditLog, Place
from axonflow_database import Database
from support.audit import entry, entry_ids, stored_ids, until
from support.postgres import service_settings

COMMIT_WAIT_S = 0.25


@pytest.fixture
async def log(chaos_database_url, tmp_path):
    database = await Database.open(service_settings(chaos_database_url))
    log = await AuditLog.open(
        database, service="agent", fallback_path=str(tmp_path / "audit" / "a.jsonl"), commit_wait_s=COMMIT_WAIT_S
    )
    yield log
    await log.close()
    await database.close()


@contextlib.asynccontextmanager
async def load(log, callers=10):
    """Callers that write for ever meanwhile; gives the entries that were acknowledged, and the longest wait."""
    acknowledged, waits_s, stopping = [], [], False
    loop = asyncio.get_running_loop()

    async def call():
        while not stopping:
            written, started = entry(), loop.time()
            await log.write(written)
            waits_s.append(loop.time() - started)
            acknowledged.append(written)
            await asyncio.sleep(0.005)

    tasks = [asyncio.create_task(call()) for _ in range(callers)]
    yield acknowledged, waits_s
    stopping = True
    await asyncio.gather(*tasks)


async def stored(chaos_database_url):
    database = await Database.open(service_settings(chaos_database_url))
    try:
        return await stored_ids(database)
    finally:
        await database.close()


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_postgres_stopped_under_load_and_started_again(log, chaos_server, chaos_database_url, how):
    async with load(log) as (acknowledged, _):
        await until(lambda: log.counters.written > 50)
        await asyncio.to_thread(chaos_server.stop if how == "stop" else chaos_server.kill)
        await until(lambda: log.counters.fallen_back > 200)
        assert log.place is Place.FILE
        assert log.writable
        await asyncio.to_thread(chaos_server.start)
        await until(lambda: log.place is Place.POSTGRES)
        before = log.counters.written
        await until(lambda: log.counters.written > before + 50)
    await until(lambda: log.counters.replayed == log.counters.fallen_back)
    assert log.counters.failed == 0
    assert len(acknowledged) == log.counters.written + log.counters.replayed
    assert await stored(chaos_database_url) == entry_ids(acknowledged)


async def test_postgres_frozen_under_load_holds_callers_for_a_bounded_time(log, chaos_server, chaos_database_url):
    pid = int((chaos_server.postgres.data_dir / "postmaster.pid").read_text().splitlines()[0])
    postmaster = psutil.Process(pid)
    async with load(log) as (acknowledged, waits_s):
        await until(lambda: log.counters.written > 50)
        family = [postmaster, *postmaster.children(recursive=True)]
        frozen_at = asyncio.get_running_loop().time()
        for process in family:
            process.suspend()
        try:
            await asyncio.sleep(20 * COMMIT_WAIT_S)
            await until(lambda: log.counters.fallen_back > 200)
            frozen_s = asyncio.get_running_loop().time() - frozen_at
        finally:
            for process in reversed(family):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()
    await until(lambda: log.counters.replayed == log.counters.fallen_back, limit_s=60)
    assert log.counters.failed == 0
    # One batch waits for its commit and the next one behind it; nobody waits for the server.
    assert max(waits_s) < frozen_s
    assert await stored(chaos_database_url) == entry_ids(acknowledged)


async def test_a_log_opened_while_postgres_is_away_takes_entries_and_replays_them(
    chaos_server, chaos_database_url, tmp_path
):
    database = await Database.open(service_settings(chaos_database_url))
    await asyncio.to_thread(chaos_server.stop)
    log = await AuditLog.open(database, service="agent", fallback_path=str(tmp_path / "audit" / "a.jsonl"))
    written = [entry() for _ in range(50)]
    await asyncio.gather(*(log.write(each) for each in written))
    assert (log.place, log.counters.fallen_back) == (Place.FILE, 50)
    await asyncio.to_thread(chaos_server.start)
    await until(lambda: log.place is Place.POSTGRES)
    await log.close()
    await database.close()
    assert await stored(chaos_database_url) == entry_ids(written)
    assert list((tmp_path / "audit").iterdir()) == []


async def test_rows_are_replayed_in_the_order_in_which_they_were_written(log, chaos_server, chaos_database_url):
    await asyncio.to_thread(chaos_server.stop)
    written = [entry() for _ in range(250)]
    for each in written:
        await log.write(each)
    await asyncio.to_thread(chaos_server.start)
    await until(lambda: log.place is Place.POSTGRES)
    database = await Database.open(service_settings(chaos_database_url))
    async with database.tenant("org-under-test") as connection:
        # Where a row stands in the table tells when it was added; nothing was ever removed from it.
        cursor = await connection.execute("SELECT decision_id FROM audit_logs ORDER BY tableoid, ctid")
        order = [row[0] for row in await cursor.fetchall()]
    await database.close()
    assert order == [each.decision.decision_id for each in written]
