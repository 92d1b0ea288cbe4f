"""Whatever is killed: every call that was answered has exactly one row in each table."""

from __future__ import annotations

import asyncio
import random

import psycopg
from support.gateway import Gateway, request, running_gateway
from support.load import Callers, rows_of
from support.postgres import Server
from support.processes import start_service, wait_until_healthy
from support.upstream import ok, running_upstream

SHORT_WAIT = {"AUDIT_COMMIT_WAIT_MS": "250"}


def only_ones(counted: dict[str, int]) -> bool:
    return set(counted.values()) == {1}


async def test_postgres_stops_under_load_and_comes_back(chaos_server: Server, chaos_database_url: str, tmp_path):
    with (
        running_upstream() as upstream,
        running_gateway(chaos_database_url, upstream, tmp_path, **SHORT_WAIT) as gateway,
    ):
        callers = Callers(gateway, 8, pause_s=0.01)
        running = asyncio.create_task(callers.run())
        await asyncio.sleep(1.5)
        await asyncio.to_thread(chaos_server.stop, "immediate")
        down = len(callers.seen.statuses)
        await asyncio.sleep(5)
        went_on = len(callers.seen.statuses) - down
        ready = request(f"{gateway.service.url}/ready", "GET", {})
        await asyncio.to_thread(chaos_server.start)
        await asyncio.sleep(2)
        callers.stop()
        seen = await running
        assert went_on > 10, "calls go on while PostgreSQL is away"
        assert (ready.status, ready.json["status"]) == (200, "degraded")
        assert set(seen.statuses.values()) == {200}
        assert seen.unanswered == 0
        for table in ("audit_logs", "llm_call_audits"):
            assert only_ones(await rows_of(chaos_database_url, table, seen.ids(200)))


async def test_the_agent_is_killed_under_load_and_its_heir_finishes_the_record(database_url: str, tmp_path):
    with running_upstream() as upstream, running_gateway(database_url, upstream, tmp_path, **SHORT_WAIT) as gateway:
        answered: set[str] = set()
        for _ in range(3):
            callers = Callers(gateway, 8)
            running = asyncio.create_task(callers.run())
            await asyncio.sleep(random.uniform(0.4, 1.2))
            await asyncio.to_thread(gateway.service.kill)
            callers.stop()
            seen = await running
            answered |= seen.ids(200)
            await _restart(gateway)
        assert len(answered) > 50
        for table in ("audit_logs", "llm_call_audits"):
            assert only_ones(await rows_of(database_url, table, answered))


async def test_the_agent_is_killed_while_its_rows_stand_in_a_file(
    chaos_server: Server, chaos_database_url: str, tmp_path
):
    with (
        running_upstream() as upstream,
        running_gateway(chaos_database_url, upstream, tmp_path, **SHORT_WAIT) as gateway,
    ):
        callers = Callers(gateway, 8)
        running = asyncio.create_task(callers.run())
        await asyncio.sleep(0.5)
        await asyncio.to_thread(chaos_server.stop, "immediate")
        await asyncio.sleep(2)
        await asyncio.to_thread(gateway.service.kill)
        callers.stop()
        seen = await running
        assert list(gateway.audit_dir.glob("*.jsonl")), "rows were synced to a file"
        await asyncio.to_thread(chaos_server.start)
        await _restart(gateway)
        answered = seen.ids(200)
        for table in ("audit_logs", "llm_call_audits"):
            assert only_ones(await rows_of(chaos_database_url, table, answered))


async def test_sigterm_lets_calls_under_way_finish_and_their_rows_be_written(database_url: str, tmp_path):
    with running_upstream() as upstream, running_gateway(database_url, upstream, tmp_path, **SHORT_WAIT) as gateway:
        upstream.respond = ok(delay_s=1.0)
        callers = Callers(gateway, 20)
        running = asyncio.create_task(callers.run())
        await asyncio.sleep(0.5)
        callers.stop()
        code = await asyncio.to_thread(gateway.service.terminate)
        seen = await running
        assert code == 0
        assert len(seen.ids(200)) == 20
        assert only_ones(await rows_of(database_url, "audit_logs", seen.ids(200)))


async def test_200_clients_wait_for_a_slow_model_and_hold_no_database_connection(database_url: str, tmp_path):
    with running_upstream() as upstream, running_gateway(database_url, upstream, tmp_path, **SHORT_WAIT) as gateway:
        upstream.respond = ok(delay_s=3.0)
        callers = Callers(gateway, 200)
        running = asyncio.create_task(callers.run())
        await asyncio.sleep(2.0)
        callers.stop()
        in_transaction = await asyncio.to_thread(_open_transactions, database_url)
        assert len(upstream.received) == 200, "all of them wait at the model"
        seen = await running
        assert in_transaction == 0
        assert seen.unanswered == 0
        assert list(seen.statuses.values()) == [200] * 200
        assert only_ones(await rows_of(database_url, "llm_call_audits", seen.ids(200)))


async def test_a_client_that_hangs_up_does_not_take_its_row_along(database_url: str, tmp_path):
    with running_upstream() as upstream, running_gateway(database_url, upstream, tmp_path, **SHORT_WAIT) as gateway:
        upstream.respond = ok(delay_s=1.0)
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.service.port)
        body = b'{"model":"m","messages":[{"role":"user","content":"I will not wait for this."}]}'
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nX-Provider-Key: sk-1\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(body) + body)
        await writer.drain()
        await asyncio.sleep(0.4)
        writer.transport.abort()
        del reader
        deadline = asyncio.get_running_loop().time() + 15
        found: list[str] = []
        while not found and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.3)
            found = [row["query"] for row in gateway.rows_all("audit_logs") if "not wait" in (row["query"] or "")]
        assert len(upstream.received) == 1
        assert len(found) == 1


def _open_transactions(database_url: str) -> int:
    query = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'
    """
    with psycopg.connect(database_url) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])


async def _restart(gateway: Gateway) -> None:
    env = gateway.env
    gateway.service = start_service("axonflow_agent", env, gateway.service.log, port=gateway.service.port)
    await asyncio.to_thread(wait_until_healthy, gateway.service)
