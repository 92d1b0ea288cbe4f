"""``kill -9`` of writing processes at random moments: what was acknowledged has exactly one row after an heir replays.

``AXONFLOW_CHAOS_ROUNDS`` raises the number of kills (5) for a longer look.
"""

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from axonflow_audit import AuditLog
from axonflow_database import Database
from support.audit import stored_ids, until
from support.postgres import service_settings

ROUNDS = int(os.environ.get("AXONFLOW_CHAOS_ROUNDS", "5"))
TESTS = Path(__file__).parents[2]
RUSHED_S, PATIENT_S = "0.004", "0.25"  # with the short wait, batches go to the file and to PostgreSQL in turn


class Writer:
    """A writing process, and what it acknowledged before it was killed."""

    def __init__(self, url, fallback_path, commit_wait_s):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.audit_writer", url, fallback_path, commit_wait_s],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
        )
        self._told = asyncio.create_task(asyncio.to_thread(self._read))
        self._first = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def _read(self):
        with self._process.stdout as pipe:
            lines = [pipe.readline()]
            self._loop.call_soon_threadsafe(self._first.set)
            return [line.decode().strip() for line in [*lines, *pipe] if line]

    async def runs(self):
        await self._first.wait()
        return self

    async def kill(self):
        self._process.kill()
        await asyncio.to_thread(self._process.wait)
        return await self._told


@pytest.fixture
async def start_writer():
    writers = []

    def start(*args):
        writers.append(Writer(*args))
        return writers[-1].runs()

    yield start
    for writer in writers:
        await writer.kill()


async def inherited(url, fallback_path):
    """What an heir has found in the files, and the ids that are in the tables then."""
    database = await Database.open(service_settings(url))
    heir = await AuditLog.open(database, service="portal", fallback_path=fallback_path, sweep_s=0.1)
    directory = Path(fallback_path).parent
    await until(lambda: len(list(directory.glob("*.jsonl"))) == 1, limit_s=60)  # its own
    counters = heir.counters
    await heir.close()
    stored = await stored_ids(database)
    await database.close()
    return counters, stored


async def check(url, fallback_path, acknowledged):
    assert acknowledged, "the writers acknowledged nothing"
    counters, stored = await inherited(url, fallback_path)
    assert Counter({each: stored[each] for each in acknowledged}) == Counter(dict.fromkeys(acknowledged, 2))
    assert set(stored.values()) <= {2}  # nor has any other call a row twice, or a decision without its details
    assert counters.quarantined == 0
    return counters


@pytest.mark.slow
@pytest.mark.timeout(120 + 10 * ROUNDS)
async def test_every_acknowledged_entry_has_one_row_whenever_the_writer_is_killed(start_writer, database_url, tmp_path):
    chance = random.Random(8_4_0)  # the moments of death are to be the same in each run
    fallback_path = str(tmp_path / "audit" / "a.jsonl")
    acknowledged: list[str] = []
    for number in range(ROUNDS):
        writer = await start_writer(database_url, fallback_path, RUSHED_S if number % 2 else PATIENT_S)
        await asyncio.sleep(chance.uniform(0.0, 0.6))
        acknowledged += await writer.kill()
    assert acknowledged
    await check(database_url, fallback_path, acknowledged)
    assert list((tmp_path / "audit").iterdir()) == []


async def test_writers_killed_while_postgres_is_away_leave_everything_to_one_heir(
    start_writer, chaos_server, chaos_database_url, tmp_path
):
    fallback_path = str(tmp_path / "audit" / "a.jsonl")
    writers = await asyncio.gather(*(start_writer(chaos_database_url, fallback_path, PATIENT_S) for _ in range(2)))
    await asyncio.to_thread(chaos_server.stop, "immediate")
    await asyncio.sleep(0.5)
    acknowledged = [each for writer in writers for each in await writer.kill()]
    await asyncio.to_thread(chaos_server.start)
    counters = await check(chaos_database_url, fallback_path, acknowledged)
    assert counters.replayed > 0


async def test_two_heirs_do_not_replay_a_file_twice(start_writer, database_url, tmp_path):
    fallback_path = str(tmp_path / "audit" / "a.jsonl")
    writer = await start_writer(database_url, fallback_path, "0.001")
    await asyncio.sleep(0.3)
    acknowledged = await writer.kill()
    database = await Database.open(service_settings(database_url))
    heirs = await asyncio.gather(
        *(AuditLog.open(database, service=name, fallback_path=fallback_path, sweep_s=0.05) for name in ("a", "b", "c"))
    )
    await until(lambda: len(list((tmp_path / "audit").glob("*.jsonl"))) == len(heirs))
    for heir in heirs:
        await heir.close()
    stored = await stored_ids(database)
    await database.close()
    assert {each: stored[each] for each in acknowledged} == dict.fromkeys(acknowledged, 2)
    assert set(stored.values()) <= {2}


async def test_a_torn_last_line_is_skipped_counted_and_breaks_nothing(start_writer, database_url, tmp_path):
    fallback_path = str(tmp_path / "audit" / "a.jsonl")
    writer = await start_writer(database_url, fallback_path, "0.0")
    await asyncio.sleep(0.3)
    acknowledged = await writer.kill()
    (orphan,) = (tmp_path / "audit").glob("*.jsonl")
    with orphan.open("ab") as file:
        file.write(b'{"type":"audit","timestamp":"2025-01-01T00:00:00Z","details":{"audit_lo')
    counters = await check(database_url, fallback_path, acknowledged)
    assert counters.torn == 1
