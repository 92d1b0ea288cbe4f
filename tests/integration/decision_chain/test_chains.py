"""Chains on a real PostgreSQL: read in order by their own tenant, and whatever was done to them since shows."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from axonflow_audit import AuditEntry, AuditLog
from axonflow_audit.encoding import EncodedEntry, decode, encode
from axonflow_audit.store import insert
from axonflow_contracts.chain import ChainStep, StepOutcome, StepType
from axonflow_database import Database
from axonflow_telemetry import TraceContext
from support.audit import AwayForNow, until
from support.chains import proxied_entry, proxied_steps, write_proxied
from support.record import BROKERS, RIVAL, TELLERS, Record


def owner(url: str, statement: str, *params: object) -> None:
    """What only somebody with the database's own password can do."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement, params)


async def chain(record: Record, decision_id: str, **more: Any) -> Any:
    reply = await record.ask("GET", f"/api/v1/decisions/{decision_id}/chain", **more)
    return reply.json if reply.status == 200 else reply.status


async def test_a_chain_is_read_whole_in_order_and_holds(record: Record) -> None:
    row = await write_proxied(record.orchestrator.audit, TELLERS)
    found = await chain(record, row.decision_id)
    assert (found["decision_id"], found["chain_id"], found["trace_id"]) == (row.id, row.id, row.trace_id)
    assert found["verified"] is True
    assert found["total_duration_ms"] == 955.9
    assert [step["step_number"] for step in found["steps"]] == list(range(1, 9))
    assert [step["name"] for step in found["steps"]] == [step.name for step in proxied_steps(row.created_at)]
    retry = found["steps"][5]
    assert (retry["model_provider"], retry["offset_ms"], retry["processing_time_ms"]) == ("anthropic", 313.0, 640.25)
    assert found["steps"][6]["policies_evaluated"] == ["sys_pii_ssn", "sys_pii_email"]
    assert found["steps"][7]["metadata"] == {"cost_usd": "0.00345", "tokens": 420}


async def test_values_that_the_database_writes_otherwise_hold_all_the_same(record: Record) -> None:
    row = await write_proxied(record.orchestrator.audit, TELLERS, steps=(_odd_step(),))
    assert (await chain(record, row.decision_id))["verified"] is True


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE decision_chain SET decision_outcome = 'approved' WHERE step_number = 5",
        "UPDATE decision_chain SET metadata = '{}' WHERE step_number = 8",
        "UPDATE decision_chain SET started_at = started_at + interval '1 microsecond' WHERE step_number = 1",
        "DELETE FROM decision_chain WHERE step_number = 8",
        "DELETE FROM decision_chain WHERE step_number = 1",
        "DELETE FROM decision_chain",
        "UPDATE audit_logs SET metadata = metadata - 'chain'",
    ],
)
async def test_what_was_altered_or_taken_away_shows(record: Record, database_url: str, damage: str) -> None:
    row = await write_proxied(record.orchestrator.audit, TELLERS)
    assert (await chain(record, row.decision_id))["verified"] is True
    owner(database_url, damage)
    assert (await chain(record, row.decision_id))["verified"] is False


async def test_nobody_else_reads_it(record: Record) -> None:
    row = await write_proxied(record.orchestrator.audit, TELLERS)
    for stranger in (BROKERS, RIVAL):
        assert await chain(record, row.decision_id, caller=stranger) == 404
        assert (await record.ask("GET", f"/api/v1/audit/chain/{row.trace_id}", caller=stranger)).status == 404


async def test_a_decision_without_steps_has_no_chain(record: Record) -> None:
    row = await record.write()
    assert await chain(record, row.decision_id) == 404
    explained = (await record.ask("GET", f"/api/v1/decisions/{row.id}/explain")).json
    assert "chain_length" not in explained or explained["chain_length"] == 0


async def test_the_chains_of_a_trace_come_in_order_and_its_rows_too(record: Record) -> None:
    trace = TraceContext.from_headers(None)
    audit = record.orchestrator.audit
    first = await write_proxied(audit, TELLERS, trace=trace)
    second = await write_proxied(audit, TELLERS, trace=trace, chain_id="5c9d1c1e-0d5a-4f6e-9d3c-2f6f0f0f0f0f")
    await write_proxied(audit, BROKERS, trace=trace)
    found = (await record.ask("GET", f"/api/v1/audit/chain/{trace.trace_id}")).json
    assert [each["decision_id"] for each in found["chains"]] == [first.id, second.id]
    assert found["chains"][1]["chain_id"] == "5c9d1c1e-0d5a-4f6e-9d3c-2f6f0f0f0f0f"
    assert (found["total"], found["verified"]) == (2, True)
    traced = (await record.ask("GET", f"/api/v1/audit/correlation/{trace.trace_id}")).json["rows"]
    steps = [each["row"]["step_number"] for each in traced if each["source"] == "decision_chain"]
    assert steps == [*range(1, 9), *range(1, 9)]


async def test_an_explanation_says_how_long_the_chain_is(record: Record) -> None:
    row = await write_proxied(record.orchestrator.audit, TELLERS)
    explained = (await record.ask("GET", f"/api/v1/decisions/{row.id}/explain")).json
    assert (explained["chain_id"], explained["chain_length"]) == (row.id, 8)


async def test_what_was_masked_and_sampled_is_in_the_entry_and_in_exports(record: Record) -> None:
    kept = {"response_sample": "Your number is [REDACTED]…", "redacted_fields": ("ssn", "email")}
    row = await write_proxied(record.orchestrator.audit, TELLERS, **kept)
    entry = (await record.ask("GET", f"/api/v1/audit/{row.id}")).json
    assert (entry["response_sample"], entry["redacted_fields"]) == (kept["response_sample"], ["ssn", "email"])
    exported = await record.ask("GET", "/api/v1/audit/export?format=csv")
    assert b"response_sample" in exported.body.split(b"\r\n")[0]
    assert "[REDACTED]…".encode() in exported.body


async def test_a_chain_waits_in_the_file_with_its_decision_and_holds_after_the_replay(
    database: Database, record: Record, tmp_path: Path
) -> None:
    away = AwayForNow(database)
    log = await AuditLog.open(away, service="agent", fallback_path=str(tmp_path / "a.jsonl"), commit_wait_s=60.0)
    try:
        row = await write_proxied(log, TELLERS)
        away.back = True
        await until(lambda: log.counters.replayed == 1)
    finally:
        await log.close()
    found = await chain(record, row.decision_id)
    assert (len(found["steps"]), found["verified"]) == (8, True)


async def test_a_line_of_a_release_without_chains_is_replayed(database: Database, record: Record) -> None:
    entry = proxied_entry(TELLERS, steps=())
    line = _without_new_columns(entry)
    async with await database.audit_connection() as connection:
        assert await insert(connection, [line]) == []
    entry_read = (await record.ask("GET", f"/api/v1/audit/{entry.decision.id}")).json
    assert (entry_read["response_sample"], entry_read["redacted_fields"]) == ("", [])


def _without_new_columns(entry: AuditEntry) -> EncodedEntry:
    line = json.loads(encode(entry).line())
    for row in line["details"]["audit_logs"]:
        del row["response_sample"], row["redacted_fields"]
    decoded = decode(json.dumps(line).encode())
    assert decoded is not None
    return decoded


def _odd_step() -> ChainStep:
    return ChainStep(
        step_type=StepType.SYSTEM,
        name="cost",
        system_id="s\x00",
        outcome=StepOutcome.APPROVED,
        started_at=datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))),
        duration_ms=1 / 3,
        metadata={
            "whole": 2.0,
            "huge": 1e22,
            "vast": 1.5e300,
            "tiny": 5e-324,
            "minus": -0.0,
            "nan": float("nan"),
            "big": 2**63 - 1,
            "cost": Decimal("0.10"),
            "zß": "é\ud800",
            "b": {"z": [1, None, True], "a": ""},
        },
    )
