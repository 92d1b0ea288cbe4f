"""A report of a model call is taken while PostgreSQL is away, and what was unknown then is looked up when asked."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

from axonflow_database import DatabaseUnavailable
from support.planes import Planes, planes
from support.postgres import Server

REPORT = {"provider": "openai", "model": "gpt-4o", "token_usage": {"total_tokens": 10}, "latency_ms": 1}

PATHS = ("/api/policy/pre-check", "/api/audit/llm-call", "/api/v1/decide")


async def post(opened: Planes, path: str, body: dict[str, Any]) -> Any:
    answer = await opened.post(path, body)
    assert answer.status == 200, answer.body
    return answer.json


async def test_what_was_reported_in_an_outage_is_checked_after_it(
    chaos_server: Server, chaos_database_url: str, tmp_path: Path
) -> None:
    async with planes(chaos_database_url, tmp_path, "community", AUDIT_COMMIT_WAIT_MS="250") as opened:
        chaos_server.stop("immediate")
        during = await post(opened, "/api/policy/pre-check", {"query": "hello"})
        known = await post(opened, "/api/audit/llm-call", {**REPORT, "context_id": during["context_id"]})
        again = await post(opened, "/api/audit/llm-call", {**REPORT, "context_id": during["context_id"]})
        unknown = await post(opened, "/api/audit/llm-call", {**REPORT, "context_id": "made-up"})
        decided = await post(opened, "/api/v1/decide", {"stage": "llm", "query": "hello"})
        chaos_server.start()
        deadline = time.monotonic() + 30
        rows: list[dict[str, Any]] = []
        while not rows and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
            with contextlib.suppress(DatabaseUnavailable):  # the server is still coming back
                rows = await opened.rows("audit_logs", decided["decision_id"])
        assert rows
        calls = [*await opened.rows("llm_call_audits", known["audit_id"])]
        calls += await opened.rows("llm_call_audits", unknown["audit_id"])
        totals = (await opened.ask("GET", "/api/v1/gateway/gaps")).json["totals"]
        late = await opened.post("/api/audit/llm-call", {**REPORT, "context_id": "made-up-later"})
    assert again == known
    assert [call["metadata"]["context"] for call in calls] == ["unverified", "unverified"]
    assert (totals["approved"], totals["audited"], totals["unknown_contexts"]) == (1, 1, 1)
    assert late.status == 400


async def test_a_call_that_nothing_can_record_is_refused(
    chaos_server: Server, chaos_database_url: str, tmp_path: Path
) -> None:
    body = {**REPORT, "query": "hello", "stage": "llm", "context_id": "any"}
    small = {
        "AUDIT_COMMIT_WAIT_MS": "250",
        "AUDIT_FALLBACK_MAX_BYTES": str(1 << 20),
        "AXONFLOW_DECISION_CONTEXT_ALLOWLIST": "*",
    }
    bulk = {"stage": "llm", "query": "word " * 100, "context": {f"k{number}": "word " * 51 for number in range(10)}}
    async with planes(chaos_database_url, tmp_path, "community", **small) as opened:
        chaos_server.stop("immediate")
        for _ in range(1_000):
            if (await opened.post("/api/v1/decide", bulk)).status != 200:
                break
        for _ in range(50):  # a file that is full for long rows may have room for short ones
            answers = [await opened.post(path, body) for path in PATHS]
            if all(answer.status != 200 for answer in answers):
                break
    assert [(answer.status, answer.headers.get("retry-after")) for answer in answers] == [(503, "1")] * 3
    assert answers[2].json["verdict"] == "deny"
