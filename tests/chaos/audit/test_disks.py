"""Disks that are full, read-only or slow while PostgreSQL is away: refused calls, nothing silent, and recovery."""

import asyncio
import os
import subprocess

import pytest
from axonflow_audit import AuditDirectoryError, AuditLog, AuditUnavailable, Place
from axonflow_database import Database
from support.audit import entry, entry_ids, stored_ids, until
from support.postgres import service_settings


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB of its own."""
    where = tmp_path / "small"
    where.mkdir()
    if os.geteuid() != 0:
        pytest.skip("this process is not root and cannot mount a small file system")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0755", "tmpfs", where],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"this machine does not let root mount a tmpfs: {mounted.stderr.strip()}")
    yield where
    subprocess.run(["umount", "--lazy", where], check=True)


@pytest.fixture
async def database(chaos_database_url):
    database = await Database.open(service_settings(chaos_database_url))
    yield database
    await database.close()


async def write_until_refused(log):
    acknowledged = []
    for _ in range(5_000):
        written = entry()
        try:
            await log.write(written)
        except AuditUnavailable:
            return acknowledged
        acknowledged.append(written)
        await asyncio.sleep(0)
    pytest.fail("the disk never filled up")


async def test_with_postgres_away_and_the_disk_full_calls_are_refused_until_the_disk_is_freed(
    database, chaos_server, small_disk
):
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 128 * 1024)
    log = await AuditLog.open(database, service="agent", fallback_path=str(small_disk / "a.jsonl"))
    await asyncio.to_thread(chaos_server.stop)
    acknowledged = await write_until_refused(log)
    assert (log.writable, log.place, log.counters.failed) == (False, Place.NOWHERE, 1)
    assert log.counters.fallen_back == len(acknowledged) > 0
    with pytest.raises(AuditUnavailable):
        await log.write(entry())
    ballast.unlink()
    await until(lambda: log.writable)
    assert log.place is Place.FILE
    again = entry()
    await log.write(again)
    await asyncio.to_thread(chaos_server.start)
    await until(lambda: log.place is Place.POSTGRES)
    await log.close()
    assert await stored_ids(database) == entry_ids([*acknowledged, again])
    assert list(small_disk.iterdir()) == []


async def test_with_the_disk_full_calls_are_taken_again_as_soon_as_postgres_is_back(database, chaos_server, small_disk):
    log = await AuditLog.open(database, service="agent", fallback_path=str(small_disk / "a.jsonl"))
    await asyncio.to_thread(chaos_server.stop)
    acknowledged = await write_until_refused(log)
    await asyncio.to_thread(chaos_server.start)
    await until(lambda: log.writable)
    again = entry()
    await log.write(again)
    await until(lambda: log.place is Place.POSTGRES)
    await log.close()
    assert await stored_ids(database) == entry_ids([*acknowledged, again])


async def test_a_disk_that_turns_read_only_refuses_calls_while_postgres_is_away(database, chaos_server, small_disk):
    log = await AuditLog.open(
        database, service="agent", fallback_path=str(small_disk / "a.jsonl"), max_file_bytes=20_000
    )
    await asyncio.to_thread(chaos_server.stop)
    acknowledged = await write_until_refused(log)  # here the file's own limit is what refuses
    assert log.counters.fallen_back == len(acknowledged) > 0
    assert not log.writable
    await asyncio.to_thread(chaos_server.start)
    await until(lambda: log.writable)
    await log.close()
    assert await stored_ids(database) == entry_ids(acknowledged)


async def test_a_read_only_file_system_refuses_the_boot_with_path_and_remedy(database, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(AuditDirectoryError, match="read-only") as caught:
        await AuditLog.open(database, service="agent", fallback_path=str(small_disk / "a.jsonl"))
    assert str(small_disk) in str(caught.value)


async def test_in_the_asynchronous_mode_entries_that_were_answered_wait_for_a_place(database, chaos_server, small_disk):
    (small_disk / "ballast").write_bytes(b"x" * 252 * 1024)
    log = await AuditLog.open(database, service="agent", fallback_path=str(small_disk / "a.jsonl"), asynchronous=True)
    await asyncio.to_thread(chaos_server.stop)
    acknowledged = await write_until_refused(log)
    assert not log.writable
    await asyncio.to_thread(chaos_server.start)
    await until(lambda: log.writable)
    await log.close()
    assert await stored_ids(database) == entry_ids(acknowledged)
