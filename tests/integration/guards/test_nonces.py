"""A nonce is good once for the whole deployment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from axonflow_database import Database, DatabaseUnavailable
from axonflow_guards import NonceLedger
from axonflow_settings import ServiceSettings
from support.postgres import Server, service_settings

LATER = datetime.now(UTC) + timedelta(days=1)  # a whole run may lie between import and use
LONG_AGO = datetime.now(UTC) - timedelta(days=1)


async def test_a_nonce_is_good_once(database: Database) -> None:
    ledger = NonceLedger(database, "agent")
    assert await ledger.claim("one", LATER)
    assert not await ledger.claim("one", LATER)
    assert await ledger.claim("two", LATER)


async def test_each_receiver_has_a_ledger_of_its_own(database: Database) -> None:
    assert await NonceLedger(database, "agent").claim("one", LATER)
    assert await NonceLedger(database, "orchestrator").claim("one", LATER)


async def test_of_many_replicas_that_claim_at_once_one_wins(database: Database, settings: ServiceSettings) -> None:
    replica = await Database.open(settings)
    ledgers = [NonceLedger(database, "agent"), NonceLedger(replica, "agent")] * 10
    for round_number in range(5):
        claims = await asyncio.gather(*(ledger.claim(f"n{round_number}", LATER) for ledger in ledgers))
        assert claims.count(True) == 1
    await replica.close()


async def test_expired_nonces_are_deleted_by_later_claims(database: Database, database_url: str) -> None:
    ledger = NonceLedger(database, "agent")
    for number in range(15):
        await ledger.claim(f"old{number}", LONG_AGO)
    await ledger.claim("kept", LATER)
    await ledger.claim("last", LATER)
    with psycopg.connect(database_url) as owner:
        assert owner.execute("SELECT nonce FROM internal_nonces ORDER BY nonce").fetchall() == [("kept",), ("last",)]


async def test_without_postgres_a_claim_is_an_error_and_not_an_answer(
    chaos_server: Server, chaos_database_url: str
) -> None:
    database = await Database.open(service_settings(chaos_database_url))
    await asyncio.to_thread(chaos_server.stop)
    with pytest.raises(DatabaseUnavailable):
        await NonceLedger(database, "agent").claim("one", LATER)
    await database.close()
