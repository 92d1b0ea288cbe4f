"""Files of processes that are gone: replayed once, in order, whatever stands in them."""

import asyncio
import json

import pytest
from axonflow_audit import AuditLog
from axonflow_audit.encoding import encode
from axonflow_audit.files import LockedFile
from support.audit import entry, entry_ids, stored_ids, until


@pytest.fixture
def directory(tmp_path):
    directory = tmp_path / "audit"
    directory.mkdir()
    return directory


@pytest.fixture
async def log(database, directory):
    log = await AuditLog.open(
        database, service="agent", fallback_path=str(directory / "a.jsonl"), commit_wait_s=60.0, sweep_s=3_600
    )
    await log.sweep()
    yield log
    await log.close()


def leave(directory, name, lines):
    path = directory / f"a.{name}.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def lines_of(entries):
    return [encode(each).line() for each in entries]


async def test_files_of_other_services_and_hosts_are_replayed_and_removed(log, database, directory):
    left = [entry() for _ in range(250)]
    first = leave(directory, "orchestrator.host-a.1", lines_of(left[:240]))
    second = leave(directory, "portal.host-b.2", lines_of(left[240:]))
    assert await log.sweep() == 2
    assert await stored_ids(database) == entry_ids(left)
    assert log.counters.replayed == 250
    assert not first.exists()
    assert not second.exists()


async def test_a_file_whose_rows_are_there_already_adds_none(log, database, directory):
    written = [entry() for _ in range(20)]
    for each in written:
        await log.write(each)
    leave(directory, "agent.host.1", lines_of(written))
    await log.sweep()
    assert await stored_ids(database) == entry_ids(written)


async def test_a_file_that_is_in_use_is_left_to_its_owner(log, database, directory):
    path = leave(directory, "agent.host.1", lines_of([entry()]))
    owner = LockedFile.claim(path)
    assert await log.sweep() == 0
    assert path.exists()
    owner.release(remove=False)
    assert await log.sweep() == 1


async def test_broken_lines_are_skipped_counted_and_break_nothing(log, database, directory):
    good = [entry() for _ in range(4)]
    whole = lines_of(good)
    broken = [b"\n", b"not json\n", whole[0][: len(whole[0]) // 2] + b"\n", b"\xff\xfe\n", b"   \n"]
    leave(directory, "agent.host.1", [whole[0], *broken, *whole[1:], whole[0][:40]])
    await log.sweep()
    assert await stored_ids(database) == entry_ids(good)
    assert (log.counters.replayed, log.counters.torn) == (4, 4)


async def test_an_entry_that_postgres_cannot_hold_is_set_aside_and_its_neighbours_are_replayed(
    log, database, directory
):
    good = [entry() for _ in range(30)]
    poison = entry(verdict="no such verdict")
    leave(directory, "agent.host.1", lines_of([*good[:11], poison, *good[11:]]))
    await log.sweep()
    assert await stored_ids(database) == entry_ids(good)
    assert (log.counters.replayed, log.counters.quarantined) == (30, 1)
    (quarantine,) = directory.glob("*.quarantine")
    assert quarantine.read_bytes() == encode(poison).line()


async def test_an_entry_of_a_newer_version_with_an_unknown_table_is_set_aside(log, database, directory):
    good = entry()
    newer = json.loads(encode(entry()).line())
    newer["details"]["table_to_come"] = [{"x": 1}]
    leave(directory, "agent.host.1", [json.dumps(newer).encode() + b"\n", *lines_of([good])])
    await log.sweep()
    assert await stored_ids(database) == entry_ids([good])
    assert log.counters.quarantined == 1


async def test_a_replay_that_stops_half_way_keeps_the_file_and_is_finished_later(
    log, database, database_url, directory
):
    import psycopg

    left = [entry() for _ in range(350)]
    path = leave(directory, "agent.host.1", lines_of(left))
    connect = log._link.connect

    async def connect_to_be_cut():
        connection = await connect()
        pid = connection.info.backend_pid

        async def cut():
            await until(lambda: log.counters.replayed > 0)
            async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
                await owner.execute("SELECT pg_terminate_backend(%s)", (pid,))

        cutting.append(asyncio.create_task(cut()))
        return connection

    cutting: list[asyncio.Task[None]] = []
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
        await owner.execute(
            "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM pg_sleep(0.3); RETURN NULL; END $$"
        )
        await owner.execute("CREATE TRIGGER slowly AFTER INSERT ON audit_logs EXECUTE FUNCTION slowly()")
        with pytest.raises(psycopg.OperationalError):
            await log._orphans.sweep(connect_to_be_cut)
        await asyncio.gather(*cutting)
        await owner.execute("DROP TRIGGER slowly ON audit_logs")
    assert path.exists()
    assert log.counters.replayed < 350
    await log.sweep()
    assert await stored_ids(database) == entry_ids(left)
    assert log.counters.replayed == 350
    assert not path.exists()


async def test_orphans_are_found_without_being_asked(database, directory):
    left = [entry() for _ in range(5)]
    leave(directory, "agent.host.1", lines_of(left))
    log = await AuditLog.open(database, service="agent", fallback_path=str(directory / "a.jsonl"), sweep_s=0.05)
    await until(lambda: log.counters.replayed == 5)
    leave(directory, "agent.host.2", lines_of([entry()]))
    await until(lambda: log.counters.replayed == 6)
    await log.close()
