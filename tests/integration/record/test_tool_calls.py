"""Reports of tool calls: recorded once under a key, whatever is retried, and without their texts."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from axonflow_database import DatabaseUnavailable
from axonflow_guards import Attempt, IdempotencyKeys, KeyScope, StoredReply
from support.record import BROKERS, TELLERS, Record, Reply

TOOL_CALL = "/api/v1/audit/tool-call"
CALL = {"tool_name": "sql.run", "tool_type": "mcp", "input": {"q": "my SSN is 123-45-6789"}, "duration_ms": 12.6}
TOTAL = "/api/v1/audit/search"


async def report(record: Record, key: str | None = None, body: Any = CALL, **more: Any) -> Reply:
    return await record.ask("POST", TOOL_CALL, body, headers={"idempotency-key": key} if key else None, **more)


async def total(record: Record) -> int:
    return int((await record.ask("POST", TOTAL, {"request_type": "tool_call_audit"})).json["total"])


async def test_a_report_is_a_row_that_tells_everything_but_the_texts(record: Record) -> None:
    reply = await report(record, body={**CALL, "success": False, "error_message": "key sk-12345"})
    assert (reply.status, reply.json["status"]) == (201, "recorded")
    entry = (await record.ask("GET", f"/api/v1/audit/{reply.json['audit_id']}")).json
    assert (entry["request_type"], entry["policy_decision"], entry["latency_ms"]) == ("tool_call_audit", "error", 13)
    assert (entry["metadata"]["tool_name"], entry["metadata"]["success"]) == ("sql.run", False)
    assert "123-45" not in str(entry)
    assert "sk-12345" not in str(entry)


async def test_a_retry_hears_the_same_bytes_and_adds_no_row(record: Record) -> None:
    first, again = await report(record, "k:1/a.b-c_d"), await report(record, "k:1/a.b-c_d")
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    other_tenant = await report(record, "k:1/a.b-c_d", caller=BROKERS)
    assert other_tenant.json["audit_id"] != first.json["audit_id"]
    assert await total(record) == 1


async def test_a_refusal_is_repeated_too_and_a_key_is_for_one_request(record: Record) -> None:
    first = await report(record, "bad", {"tool_type": "x"})
    again = await report(record, "bad", {"tool_type": "x"})
    assert (first.status, again.status, again.body) == (400, 400, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    assert (await report(record, "bad")).status == 409
    for key in ("with space", "x" * 257, "é"):
        assert (await report(record, key)).status == 400
    assert await total(record) == 0


async def test_concurrent_duplicates_wait_for_the_first(record: Record) -> None:
    replies = await asyncio.gather(*(report(record, "same") for _ in range(6)))
    assert {reply.status for reply in replies} == {201}
    assert len({reply.body for reply in replies}) == 1
    assert await total(record) == 1


async def test_what_failed_on_our_side_is_done_again_as_the_same_row(record: Record) -> None:
    keys = IdempotencyKeys(record.orchestrator.database, wait_s=0.0)
    scope = KeyScope(TELLERS.org_id, TELLERS.tenant_id, "POST /x", "retry")
    seen: list[Attempt] = []

    async def work(attempt: Attempt) -> StoredReply:
        seen.append(attempt)
        if len(seen) == 1:
            raise DatabaseUnavailable
        return StoredReply(500 if len(seen) == 2 else 200, "application/json", b"{}")

    with contextlib.suppress(DatabaseUnavailable):
        await keys.once(scope, b"", work)
    outcomes = [await keys.once(scope, b"", work) for _ in range(3)]
    assert [(reply.status, replayed) for reply, replayed in outcomes] == [(500, False), (200, False), (200, True)]
    assert len({attempt.row_id for attempt in seen}) == 1


async def test_a_large_report_is_refused(record: Record) -> None:
    body = {**CALL, "output": {"x": "y" * (1 << 20)}}
    assert (await report(record, body=body)).status == 413
    for wrong in ({}, {"tool_name": ""}, {"tool_name": 5}, [], *({**CALL, "duration_ms": ms} for ms in (-1, 1e300))):
        assert (await report(record, body=wrong)).status == 400, wrong
