"""Replicas share one limit a client and minute, and a process goes on by itself while Postgres is away."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg
from axonflow_database import Database
from axonflow_guards import Admission, RateLimiter
from axonflow_settings import ServiceSettings
from support.postgres import Server, service_settings

NOON = datetime(2026, 3, 1, 12, 0, 15, tzinfo=UTC)


@dataclasses.dataclass
class StandingClock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


async def admit(limiter: RateLimiter, limit: int, client: str = "c") -> Admission:
    admission = await limiter.admit("org", client, limit)
    assert admission is not None
    return admission


async def test_exactly_the_limit_is_admitted(database: Database) -> None:
    limiter = RateLimiter(database, StandingClock())
    answers = [(await admit(limiter, 25)).allowed for _ in range(60)]
    assert answers == [True] * 25 + [False] * 35


async def test_two_replicas_racing_admit_exactly_the_limit_together(
    database: Database, settings: ServiceSettings
) -> None:
    clock = StandingClock()
    other = await Database.open(settings)
    limiters = [RateLimiter(database, clock), RateLimiter(other, clock)]

    async def calls(limiter: RateLimiter) -> int:
        return sum([(await admit(limiter, 200)).allowed for _ in range(150)])

    admitted = await asyncio.gather(*(calls(limiter) for limiter in limiters * 2))
    assert sum(admitted) == 200
    await other.close()


async def test_a_limit_costs_far_fewer_statements_than_calls(database: Database, database_url: str) -> None:
    limiter = RateLimiter(database, StandingClock())
    await asyncio.gather(*(admit(limiter, 1000) for _ in range(1000)))
    with psycopg.connect(database_url) as owner:
        owner.execute("SELECT pg_stat_force_next_flush()")
        row = owner.execute(
            "SELECT n_tup_ins + n_tup_upd FROM pg_stat_user_tables WHERE relname = 'rate_windows'"
        ).fetchone()
    assert row is not None
    assert row[0] < 100


async def test_the_next_minute_begins_anew(database: Database) -> None:
    clock = StandingClock()
    limiter = RateLimiter(database, clock)
    assert [(await admit(limiter, 1)).allowed for _ in range(2)] == [True, False]
    clock.now += timedelta(minutes=1)
    assert (await admit(limiter, 1)).allowed


async def test_past_minutes_are_deleted(database: Database, database_url: str) -> None:
    clock = StandingClock()
    limiter = RateLimiter(database, clock)
    for _ in range(3):
        await admit(limiter, 1)
        clock.now += timedelta(minutes=1)
    with psycopg.connect(database_url) as owner:
        assert owner.execute("SELECT count(*) FROM rate_windows").fetchone() == (1,)


async def test_the_caller_is_told_what_is_left_and_when_it_resets(database: Database) -> None:
    limiter = RateLimiter(database, StandingClock())
    first, second, refused = [await admit(limiter, 2) for _ in range(3)]
    assert (first.limit, first.remaining, second.remaining, refused.remaining) == (2, 1, 0, 0)
    assert refused.reset_at == NOON.replace(second=0) + timedelta(minutes=1)
    assert refused.retry_after_s == 45


async def test_clients_have_limits_of_their_own(database: Database) -> None:
    limiter = RateLimiter(database, StandingClock())
    counts: Counter[str] = Counter()
    for client in ("a", "b") * 4:
        counts[client] += (await admit(limiter, 3, client)).allowed
    assert counts == {"a": 3, "b": 3}


async def test_a_client_without_a_limit_is_not_counted(database: Database, database_url: str) -> None:
    assert await RateLimiter(database, StandingClock()).admit("org", "c", 0) is None
    with psycopg.connect(database_url) as owner:
        assert owner.execute("SELECT count(*) FROM rate_windows").fetchone() == (0,)


async def test_without_postgres_each_process_counts_by_itself(chaos_server: Server, chaos_database_url: str) -> None:
    database = await Database.open(service_settings(chaos_database_url))
    limiter = RateLimiter(database, StandingClock())
    before = [(await admit(limiter, 30)).allowed for _ in range(2)]
    await asyncio.to_thread(chaos_server.stop)
    answers = before + [(await admit(limiter, 30)).allowed for _ in range(40)]
    assert answers == [True] * 30 + [False] * 12
    await database.close()
