"""Searches, single entries, traces and sums: true totals, stable cursors, and nobody else's rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from axonflow_audit import LlmCallRow
from axonflow_contracts.caller import CallerKind
from support.record import BROKERS, EMAIL, RIVAL, SSN, TELLERS, Record

SEARCH = "/api/v1/audit/search"


async def ids(record: Record, **asked: Any) -> list[str]:
    reply = await record.ask("POST", SEARCH, asked)
    assert reply.status == 200, reply.body
    return [entry["id"] for entry in reply.json["entries"]]


async def test_a_cursor_walks_the_whole_list_while_rows_are_added(record: Record) -> None:
    moment = datetime.now(UTC) - timedelta(minutes=1)
    written = {(await record.write(created_at=moment + timedelta(milliseconds=number // 3))).id for number in range(11)}
    first = (await record.ask("POST", SEARCH, {"limit": 4})).json
    assert (first["total"], first["limit"], first["offset"], first["has_more"]) == (11, 4, 0, True)
    await record.write()  # newer than all that is walked
    seen, page = [entry["id"] for entry in first["entries"]], first
    while page["has_more"]:
        page = (await record.ask("POST", SEARCH, {"limit": 4, "cursor": page["next_cursor"]})).json
        seen += [entry["id"] for entry in page["entries"]]
    assert len(seen) == 11
    assert set(seen) == written
    assert page["total"] == 12


async def test_an_offset_pages_too_and_its_total_is_not_the_pages(record: Record) -> None:
    for _ in range(5):
        await record.write()
    page = (await record.ask("GET", "/api/v1/audit/tenant/tellers?limit=2&offset=3")).json
    assert (len(page["entries"]), page["total"], page["has_more"]) == (2, 5, False)
    beyond = (await record.ask("GET", "/api/v1/audit/tenant/tellers?limit=2&offset=30")).json
    assert (beyond["entries"], beyond["total"]) == ([], 5)


async def test_every_filter_finds_its_rows_alone(record: Record) -> None:
    await record.write()
    wanted = await record.write(
        user_email="Ann.Lee@bank.example",
        client_id="mobile-app",
        request_type="llm_chat",
        verdict="blocked",
        matched_policies=(SSN,),
        provider="openai",
        model="gpt-4o",
        trace_id="a" * 32,
        metadata={"override_id": "o1", "tool_signature": "sql.run"},
    )
    for asked in (
        {"user_email": "ann.lee"},
        {"client_id": "MOBILE"},
        {"request_type": "llm_chat"},
        {"action": "deny"},
        {"action": "blocked"},
        {"action": "block"},
        {"policy_name": "ssn"},
        {"policy_id": "sys_pii_ssn"},
        {"override_id": "o1"},
        {"provider": "openai"},
        {"model": "gpt-4o"},
        {"trace_id": "a" * 32},
        {"tool_signature": "sql.run"},
        {"decision_id": wanted.decision_id},
        {"start_time": (wanted.created_at - timedelta(seconds=1)).isoformat(), "action": "deny"},
        {"start_time": (wanted.created_at - timedelta(hours=1)).replace(tzinfo=None).isoformat(), "action": "deny"},
    ):
        assert await ids(record, **asked) == [wanted.id], asked
    assert await ids(record, user_email="ann_lee") == []  # a wildcard of the database is a letter here
    assert await ids(record, action="redact") == []


IMPOSSIBLE: list[Any] = [
    {"limit": 0},
    {"limit": 1001},
    {"offset": -1},
    {"offset": 100_001},
    {"start_time": "yesterday"},
    {"start_time": "2026-02-01T00:00:00Z", "end_time": "2026-01-01T00:00:00Z"},
    {"action": "maybe"},
    {"cursor": "nonsense"},
    {"user_email": "a\0b"},
    {"user_email": 7},
    b"[]",
    b'{"limit": 1, "limit": 2}',
]


async def test_what_cannot_be_asked_is_400_with_its_cause(record: Record) -> None:
    for asked in IMPOSSIBLE:
        reply = await record.ask("POST", SEARCH, asked)
        assert (reply.status, reply.json["success"]) == (400, False), asked
        assert reply.json["error"]


async def test_the_first_moment_of_all_is_a_moment(record: Record) -> None:
    first = {"end_time": "0001-01-01T00:00:00Z"}
    assert (await record.ask("POST", "/api/v1/audit/summary", first)).json["total_events"] == 0
    draft = {**first, "policies": [{"pattern": "night", "action": "block"}]}
    assert (await record.ask("POST", "/api/v1/decisions/drafts", draft)).json["coverage"]["decisions"] == 0


async def test_a_client_without_a_tenant_reads_nothing_and_a_service_the_organisation(record: Record) -> None:
    await record.write()
    nobody = msgspec.structs.replace(TELLERS, tenant_id="")
    for method, path, body in (
        ("POST", SEARCH, {}),
        ("GET", "/api/v1/decisions", None),
        ("GET", "/api/v1/connectors", None),
        ("PUT", "/api/v1/decisions/recording", {"mode": "off"}),
    ):
        assert (await record.ask(method, path, body, caller=nobody)).status == 401, path
    portal = msgspec.structs.replace(nobody, kind=CallerKind.SERVICE)
    assert (await record.ask("POST", SEARCH, {}, caller=portal)).json["total"] == 1


async def test_nobody_reads_another_tenants_rows(record: Record) -> None:
    mine = await record.write(trace_id="b" * 32, verdict="blocked", matched_policies=(SSN,))
    for other in (BROKERS, RIVAL):
        assert (await record.ask("POST", SEARCH, {}, caller=other)).json["total"] == 0
        for path in (f"/api/v1/audit/{mine.id}", f"/api/v1/audit/correlation/{'b' * 32}"):
            assert (await record.ask("GET", path, caller=other)).status == 404
        assert (await record.ask("GET", f"/api/v1/decisions/{mine.id}/explain", caller=other)).status == 404
        assert (await record.ask("GET", "/api/v1/audit/export", caller=other)).body == b""
        assert (await record.ask("POST", "/api/v1/audit/summary", {}, caller=other)).json["total_events"] == 0
        assert (await record.ask("GET", "/api/v1/decisions", caller=other)).json["decisions"] == []
    assert (await record.ask("GET", "/api/v1/audit/tenant/tellers", caller=BROKERS)).status == 404
    assert (await record.ask("POST", SEARCH, {}, caller=None)).status == 401


async def test_rows_beyond_the_retention_window_are_not_there(community: Record) -> None:
    old = await community.write(created_at=datetime.now(UTC) - timedelta(days=4), trace_id="c" * 32)
    new = await community.write(created_at=datetime.now(UTC) - timedelta(days=2))
    page = (await community.ask("POST", SEARCH, {"start_time": "2020-01-01T00:00:00Z"}, caller=None)).json
    assert ([entry["id"] for entry in page["entries"]], page["retention_days"]) == ([new.id], 3)
    for path in (
        f"/api/v1/audit/{old.id}",
        f"/api/v1/audit/correlation/{'c' * 32}",
        f"/api/v1/decisions/{old.id}/explain",
    ):
        assert (await community.ask("GET", path, caller=None)).status == 404


async def test_community_is_one_tenant_and_a_client_is_a_filter(community: Record) -> None:
    for tenant, client in (("community", "one"), ("tellers", "two")):
        await community.write(tenant_id=tenant, client_id=client)
    totals = {
        name: (await community.ask("GET", f"/api/v1/audit/tenant/{name}", caller=None)).json["total"]
        for name in ("community", "acme-bank", "two", "nobody")
    }
    assert totals == {"community": 2, "acme-bank": 2, "two": 1, "nobody": 0}


async def test_a_trace_is_every_row_of_every_table_in_order(record: Record) -> None:
    start = datetime.now(UTC) - timedelta(seconds=10)
    trace = "d" * 32
    second = await record.write(trace_id=trace, created_at=start + timedelta(seconds=1))
    called = LlmCallRow(org_id="acme-bank", created_at=start, id="call", decision="allow", tenant_id="tellers")
    first = await record.write(details=(called,), id="call", trace_id=trace, created_at=start)
    await record.write(trace_id="e" * 32)
    found = (await record.ask("GET", f"/api/v1/audit/correlation/{trace}")).json
    assert [(row["source"], row["row"]["id"]) for row in found["rows"]] == [
        ("audit_logs", first.id),
        ("llm_call_audits", "call"),
        ("audit_logs", second.id),
    ]
    assert found["total"] == 3


async def test_a_call_that_was_reported_later_belongs_to_the_trace_of_its_report(record: Record) -> None:
    call = LlmCallRow(org_id="acme-bank", created_at=datetime.now(UTC), id="c9", decision="allow", tenant_id="tellers")
    await record.write(details=(call,), trace_id="f" * 32, metadata={"audit_id": "c9"})
    found = (await record.ask("GET", f"/api/v1/audit/correlation/{'f' * 32}")).json
    assert {row["source"] for row in found["rows"]} == {"audit_logs", "llm_call_audits"}


async def test_a_summary_counts_calls_and_not_rows(record: Record) -> None:
    await record.write(verdict="blocked", matched_policies=(SSN, EMAIL), latency_ms=2.0)
    await record.write(verdict="redacted", matched_policies=(EMAIL,), latency_ms=4.0)
    await record.write(verdict="error", folded_count=8)
    told = (await record.ask("POST", "/api/v1/audit/summary", {})).json
    assert (told["total_requests"], told["blocked_requests"], told["modified_requests"]) == (10, 1, 1)
    assert told["by_action"] == {"deny": 1, "redact": 1, "error": 8}
    assert told["by_severity"] == {"critical": 1, "medium": 1, "none": 8}
    assert [(each["policy_id"], each["count"]) for each in told["top_policies"]] == [
        ("sys_pii_email", 2),
        ("sys_pii_ssn", 1),
    ]
    assert (told["avg_latency_ms"], told["block_rate_percent"], told["compliance_score"]) == (3.0, 10.0, 10.0)


async def test_an_entry_has_the_keys_of_both_sdks_and_no_null(record: Record) -> None:
    row = await record.write(verdict="redacted", matched_policies=(EMAIL,), cost_usd=Decimal("0.5"), tokens_used=7)
    entry = (await record.ask("GET", f"/api/v1/audit/{row.id}")).json
    assert (entry["policy_decision"], entry["success"], entry["blocked"]) == ("redact", True, False)
    assert (entry["cost"], entry["tokens_used"], entry["risk_score"]) == (0.5, 7, 0.3)
    assert not [name for name, value in entry.items() if value is None]
    assert entry["policy_details"]["policies"][0]["spans"] == [[0, 5], [7, 12]]


async def test_a_list_that_could_not_be_counted_says_so(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        await record.write()
    monkeypatch.setattr("axonflow_audit.pages.COUNT", "SELECT count(*) FROM pg_sleep(5), audit_logs WHERE ")
    monkeypatch.setattr("axonflow_orchestrator.audit.service.COUNT_BUDGET_MS", 20)
    page = (await record.ask("POST", SEARCH, {"limit": 1})).json
    assert (page["partial"], len(page["entries"]), page["total"]) == (True, 1, 2)
    assert page["source_errors"]
