"""The audit log on a real PostgreSQL: durable when ``write`` returns, exactly once, by a role that may only insert."""

import asyncio
import typing
from decimal import Decimal

import msgspec
import psycopg
import pytest
from axonflow_audit import AuditEntry, AuditLog, AuditUnavailable, Place
from axonflow_audit.rows import TABLES
from axonflow_audit.search import count_calls, decision_rows, llm_call_rows
from axonflow_telemetry import Metrics
from support.audit import ORG, entry, entry_ids, stored_ids, until

PATIENT_S = 60.0  # where PostgreSQL is to take the rows however busy the machine is


@pytest.fixture
def fallback_path(tmp_path):
    return str(tmp_path / "audit" / "audit_fallback.jsonl")


@pytest.fixture
async def log(database, fallback_path):
    log = await AuditLog.open(database, service="agent", fallback_path=fallback_path, commit_wait_s=PATIENT_S)
    yield log
    await log.close()


async def test_an_entry_can_be_read_by_its_tenant_as_soon_as_write_returns(log, database):
    written = entry(query="q é", cost_usd=Decimal("0.00000123"))
    await log.write(written)
    async with database.tenant(ORG) as connection:
        assert await decision_rows(connection, written.decision.decision_id) == [written.decision]
        assert await llm_call_rows(connection, written.decision.decision_id) == list(written.details)


async def test_another_organisation_sees_nothing_of_it(log, database):
    written = entry()
    await log.write(written)
    async with database.tenant("another-org") as connection:
        assert await decision_rows(connection, written.decision.decision_id) == []
        assert await count_calls(connection) == (0, 0)


@pytest.mark.parametrize("table", TABLES)
async def test_the_fields_of_a_row_are_the_columns_of_its_table(database_url, table):
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        cursor = await connection.execute(
            "SELECT column_name, is_nullable FROM information_schema.columns WHERE table_schema = 'public' AND "
            "table_name = %s ORDER BY ordinal_position",
            (table,),
        )
        columns = await cursor.fetchall()
    assert [name for name, _ in columns] == list(TABLES[table].__struct_fields__)
    hints = typing.get_type_hints(TABLES[table])
    for name, nullable in columns:
        assert (nullable == "YES") == (type(None) in typing.get_args(hints[name])), name


async def test_every_field_of_a_row_survives_the_way(log, database):
    written = entry()
    full = msgspec.structs.replace(
        written.decision,
        **{
            name: (
                getattr(written.decision, name)
                if getattr(written.decision, name) not in {None, ""}
                else {int: 7, float: 1.5, str: "text", Decimal: Decimal("1.25")}[
                    next(kind for kind in typing.get_args(hint) or (hint,) if kind is not type(None))
                ]
            )
            for name, hint in typing.get_type_hints(type(written.decision)).items()
            if name not in {"metadata", "matched_policies"}
        },
        metadata={"nested": {"list": [1, "x", None]}},
    )
    await log.write(AuditEntry(full))
    async with database.tenant(ORG) as connection:
        (found,) = await decision_rows(connection, full.decision_id)
    assert found == full
    assert None not in [getattr(found, name) for name in found.__struct_fields__]


async def test_many_concurrent_writers_share_few_transactions_and_lose_nothing(log, database, database_url):
    written = [entry() for _ in range(500)]
    await asyncio.gather(*(log.write(each) for each in written))
    assert await stored_ids(database) == entry_ids(written)
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        cursor = await connection.execute("SELECT count(DISTINCT xmin::text) FROM audit_logs")
        ((transactions,),) = await cursor.fetchall()
    assert 0 < transactions < 50
    assert log.counters.written == 500
    assert log.counters.fallen_back == 0


async def test_writing_an_entry_twice_leaves_one_row(log, database):
    written = entry()
    await log.write(written)
    await log.write(written)
    async with database.tenant(ORG) as connection:
        assert await count_calls(connection) == (1, 1)


async def test_a_row_with_nul_and_surrogates_is_stored_escaped_and_flagged(log, database):
    written = entry(query="a\x00b\ud800")
    await log.write(written)
    async with database.tenant(ORG) as connection:
        (row,) = await decision_rows(connection, written.decision.decision_id)
    assert row.query == "a\\u0000b\\ud800"
    assert row.input_flagged


async def test_one_entry_that_postgres_cannot_hold_fails_none_of_its_neighbours(log, database, tmp_path):
    poisons = [entry(tokens_used=1 << 70), entry(verdict="no such verdict"), entry(cost_usd=Decimal("1e12"))]
    good = [entry() for _ in range(40)]
    mixed = [*good[:13], poisons[0], *good[13:30], poisons[1], poisons[2], *good[30:]]
    await asyncio.gather(*(log.write(each) for each in mixed))
    assert await stored_ids(database) == entry_ids(good)
    assert (log.counters.written, log.counters.quarantined) == (40, 3)
    (quarantine,) = (tmp_path / "audit").glob("*.quarantine")
    kept = quarantine.read_text()
    for poison in poisons:
        assert kept.count(f'"decision_id":"{poison.decision.decision_id}"') == 1
    assert log.place is Place.POSTGRES


async def test_the_connection_may_insert_and_nothing_else(database):
    connection = await database.audit_connection()
    try:
        for statement in (
            "SELECT * FROM audit_logs",
            "DELETE FROM audit_logs",
            "UPDATE audit_logs SET reason = ''",
            "TRUNCATE audit_logs",
            "INSERT INTO clients (client_id) VALUES ('x')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_slow_postgres_costs_a_bounded_wait_once_and_the_file_takes_over(database, database_url, fallback_path):
    log = await AuditLog.open(database, service="agent", fallback_path=fallback_path, commit_wait_s=0.25)
    written = [entry() for _ in range(30)]
    loop = asyncio.get_running_loop()
    try:
        async with await psycopg.AsyncConnection.connect(database_url) as locker:
            await locker.execute("LOCK TABLE audit_logs IN ACCESS EXCLUSIVE MODE")
            waits_s = []
            for each in written:
                started = loop.time()
                await log.write(each)
                waits_s.append(loop.time() - started)
            assert log.place is Place.FILE
            assert log.writable
            assert log.counters.fallen_back == 30
        # The first caller waited for PostgreSQL, the others went to the file at once.
        assert waits_s[0] >= 0.25
        assert sum(waits_s[1:]) < 29 * 0.25
        await until(lambda: log.place is Place.POSTGRES)
        assert await stored_ids(database) == entry_ids(written)
        after = entry()
        await log.write(after)
        assert log.counters.written == 1
    finally:
        await log.close()


async def test_a_commit_that_lands_late_and_its_replay_make_one_row(database, database_url, fallback_path, monkeypatch):
    """The doubtful commit: the server finishes what the log had given up, and the file has it as well."""
    monkeypatch.setattr("axonflow_audit.link._FIRST_RETRY_S", 3.0)  # so that the late commit is seen before the replay
    log = await AuditLog.open(database, service="agent", fallback_path=fallback_path, commit_wait_s=0.05)
    written = [entry() for _ in range(20)]
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
        # Slow enough to be given up, and deaf to the request to stop.
        await owner.execute(
            "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "BEGIN PERFORM pg_sleep(0.01); EXCEPTION WHEN query_canceled THEN NULL; END; RETURN NEW; END $$"
        )
        await owner.execute("CREATE TRIGGER slowly BEFORE INSERT ON audit_logs FOR EACH ROW EXECUTE FUNCTION slowly()")
        await asyncio.gather(*(log.write(each) for each in written))
        assert log.counters.fallen_back == 20
        async with asyncio.timeout(30):
            while await stored_ids(database) != entry_ids(written):
                await asyncio.sleep(0.05)
        assert log.place is Place.FILE
        assert log.counters.replayed == 0
        await owner.execute("DROP TRIGGER slowly ON audit_logs")
    await until(lambda: log.place is Place.POSTGRES)
    assert log.counters.replayed == 20
    async with database.tenant(ORG) as connection:
        assert await count_calls(connection) == (20, 20)
    assert await stored_ids(database) == entry_ids(written)
    await log.close()


async def test_closing_drains_what_is_under_way(database, fallback_path):
    log = await AuditLog.open(database, service="agent", fallback_path=fallback_path, commit_wait_s=PATIENT_S)
    written = [entry() for _ in range(300)]
    writes = [asyncio.create_task(log.write(each)) for each in written]
    await asyncio.sleep(0)
    await log.close()
    await asyncio.gather(*writes)
    assert await stored_ids(database) == entry_ids(written)
    with pytest.raises(AuditUnavailable):
        await log.write(entry())
    assert not log.writable


async def test_closing_while_postgres_hangs_puts_what_is_under_way_into_the_file(
    database, database_url, fallback_path, tmp_path
):
    log = await AuditLog.open(database, service="agent", fallback_path=fallback_path, commit_wait_s=PATIENT_S)
    written = [entry() for _ in range(150)]
    async with await psycopg.AsyncConnection.connect(database_url) as locker:
        await locker.execute("LOCK TABLE audit_logs IN ACCESS EXCLUSIVE MODE")
        writes = [asyncio.create_task(log.write(each)) for each in written]
        await asyncio.sleep(0.1)
        async with asyncio.timeout(20):
            await log.close(timeout_s=0.2)
        await asyncio.gather(*writes)
    assert list((tmp_path / "audit").glob("*.jsonl"))
    heir = await AuditLog.open(database, service="agent", fallback_path=fallback_path, commit_wait_s=PATIENT_S)
    await until(lambda: heir.counters.replayed == 150)
    await heir.close()
    assert await stored_ids(database) == entry_ids(written)


async def test_a_clean_end_leaves_no_file(database, fallback_path, tmp_path):
    log = await AuditLog.open(database, service="agent", fallback_path=fallback_path, commit_wait_s=PATIENT_S)
    await log.write(entry())
    assert len(list((tmp_path / "audit").iterdir())) == 1
    await log.close()
    assert list((tmp_path / "audit").iterdir()) == []


async def test_in_the_asynchronous_mode_write_returns_before_the_row_is_there(database, database_url, fallback_path):
    log = await AuditLog.open(
        database, service="agent", fallback_path=fallback_path, asynchronous=True, commit_wait_s=PATIENT_S
    )
    written = [entry() for _ in range(300)]
    async with await psycopg.AsyncConnection.connect(database_url) as locker:
        await locker.execute("LOCK TABLE audit_logs IN ACCESS EXCLUSIVE MODE")
        async with asyncio.timeout(5):
            for each in written:
                await log.write(each)
    await log.close()
    assert await stored_ids(database) == entry_ids(written)


async def test_in_the_asynchronous_mode_what_exceeds_the_queue_goes_to_the_file(
    database, database_url, fallback_path, monkeypatch
):
    monkeypatch.setattr("axonflow_audit.log.QUEUE_ENTRIES", 50)
    log = await AuditLog.open(
        database, service="agent", fallback_path=fallback_path, asynchronous=True, commit_wait_s=PATIENT_S
    )
    written = [entry() for _ in range(200)]
    async with await psycopg.AsyncConnection.connect(database_url) as locker:
        await locker.execute("LOCK TABLE audit_logs IN ACCESS EXCLUSIVE MODE")
        for each in written:
            await log.write(each)
        assert log.counters.fallen_back > 0
    await until(lambda: log.counters.written + log.counters.replayed == 200)
    await log.close()
    assert await stored_ids(database) == entry_ids(written)


async def test_the_counters_show_on_the_metrics_page(database, fallback_path):
    metrics = Metrics()
    log = await AuditLog.open(
        database, service="agent", fallback_path=fallback_path, metrics=metrics, commit_wait_s=PATIENT_S
    )
    await log.write(entry())
    page = metrics.exposition()[0].decode()
    assert "axonflow_audit_written_total 1.0" in page
    assert 'axonflow_gateway_audit_queued_total{status="success",type="audit"} 1.0' in page
    assert "axonflow_audit_writable 1.0" in page
    await log.close()
    assert "axonflow_audit_writable 0.0" in metrics.exposition()[0].decode()
