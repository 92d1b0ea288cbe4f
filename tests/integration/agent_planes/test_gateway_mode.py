"""Gateway Mode: what a client is told, what is kept of it, and what a report may say."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from axonflow_audit import AuditEntry, AuditRow
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter
from axonflow_settings import Secret
from support.gateway import CLIENT, INTERNAL_SECRET, JWT_SECRET, ORG, Answer
from support.planes import Planes

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRE_CHECK = "/api/policy/pre-check"
REPORT = "/api/audit/llm-call"
GAPS = "/api/v1/gateway/gaps"
SSN = "My SSN is 123-45-6789"


async def approved(planes: Planes, client: str = "", **more: Any) -> dict[str, Any]:
    answer = await planes.post(PRE_CHECK, {"query": "What is a database?", "client_id": client, **more})
    assert answer.status == 200, answer.body
    return dict(answer.json)


def report(context: str, **changes: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
    body = {"context_id": context, "provider": "openai", "model": "gpt-4o", "token_usage": usage, "latency_ms": 20}
    return {**body, "response_summary": "A store of rows.", **changes}


async def test_an_approval_is_kept_where_any_replica_finds_it(enterprise: Planes) -> None:
    asked = await enterprise.post(
        PRE_CHECK, {"query": "What is a database?", "client_id": CLIENT, "data_sources": ["crm", "crm", "erp"]}
    )
    told = asked.json
    assert (told["approved"], told["requires_redaction"], told["policies"]) == (True, False, [])
    assert (told["approved_data"], "block_reason" in told) == ({}, False)
    assert told["context_id"] == asked.headers["x-axonflow-decision-id"]
    assert told["trace_id"] == asked.headers["x-axonflow-trace-id"]
    [context] = await enterprise.rows("gateway_contexts", told["context_id"])
    row = await enterprise.row_of(asked)
    assert (context["approved"], context["client_id"], context["data_sources"]) == (True, CLIENT, ["crm", "erp"])
    assert context["expires_at"] - context["created_at"] == timedelta(minutes=5)
    assert datetime.fromisoformat(told["expires_at"]) == context["expires_at"]
    assert (row["plane"], row["request_type"], row["verdict"]) == ("gateway", "pre_check", "allowed")
    assert row["query_hash"] == context["query_hash"]


async def test_a_denial_is_an_answer_with_its_reason(enterprise: Planes) -> None:
    told = (await enterprise.post(PRE_CHECK, {"query": SSN})).json
    assert (told["approved"], told["block_reason"]) == (False, "Social Security Number detected")
    assert told["policies"][0] == "sys_pii_ssn"
    [context] = await enterprise.rows("gateway_contexts", told["context_id"])
    assert (context["approved"], context["block_reason"]) == (False, "Social Security Number detected")


async def test_an_escape_in_a_json_text_hides_nothing(enterprise: Planes) -> None:
    told = (await enterprise.post(PRE_CHECK, {"query": '{"note":"My SSN is 123-45-\\u0036789"}'})).json
    assert told["approved"] is False


async def test_a_redaction_is_asked_for_and_the_call_approved(postgres_server, tmp_path) -> None:
    from support.planes import planes

    with postgres_server.database() as url:
        async with planes(url, tmp_path, "community", PII_ACTION="redact") as redacting:
            told = (await redacting.post(PRE_CHECK, {"query": SSN})).json
            decided = (await redacting.post("/api/v1/decide", {"stage": "llm", "query": SSN})).json
    assert (told["approved"], told["requires_redaction"], told["policies"]) == (True, True, ["sys_pii_ssn"])
    assert decided["verdict"] == "allow"
    assert [each["type"] for each in decided["obligations"]] == ["redact_pii"]


async def test_a_user_token_of_another_tenant_or_none_of_ours_is_refused(enterprise: Planes) -> None:
    claims = {"user_id": 7, "email": "ann@bank", "exp": 4_102_444_800, "permissions": ["query"]}
    foreign = jwt.encode({**claims, "tenant_id": "others"}, JWT_SECRET, "HS256")
    own = jwt.encode({**claims, "tenant_id": CLIENT}, JWT_SECRET, "HS256")
    asked = [await enterprise.post(PRE_CHECK, {"query": "hi", "user_token": t}) for t in ("demo", foreign, own)]
    assert [answer.status for answer in asked] == [401, 403, 200]
    assert [(await enterprise.row_of(answer))["client_id"] for answer in asked] == [CLIENT] * 3
    assert (await enterprise.row_of(asked[2]))["user_email"] == "ann@bank"


async def test_a_body_cannot_speak_for_another_client(enterprise: Planes, community: Planes) -> None:
    refused = await enterprise.post(PRE_CHECK, {"query": "hi", "client_id": "another"})
    assert (refused.status, (await enterprise.row_of(refused))["verdict"]) == (403, "blocked")
    named = await community.post(PRE_CHECK, {"query": "hi", "client_id": "billing"})
    assert (await community.row_of(named))["client_id"] == "billing"


async def test_a_report_is_priced_hashed_and_kept_beside_its_context(enterprise: Planes) -> None:
    context_id = (await approved(enterprise))["context_id"]
    answer = await enterprise.post(REPORT, report(context_id, metadata={"note": SSN}))
    assert (answer.status, answer.json["success"]) == (200, True)
    [call] = await enterprise.rows("llm_call_audits", answer.json["audit_id"])
    [context] = await enterprise.rows("gateway_contexts", context_id)
    assert (call["context_id"], call["created_at"]) == (context_id, context["created_at"])
    assert (call["prompt_tokens"], call["completion_tokens"], call["total_tokens"]) == (1000, 500, 1500)
    assert call["estimated_cost_usd"] > 0
    assert len(call["response_summary_hash"]) == 64
    assert "123-45" not in str(call)
    assert "123-45" not in str(await enterprise.row_of(answer))


async def test_a_report_that_arrives_again_is_one_call_even_at_the_same_moment(enterprise: Planes) -> None:
    body = report((await approved(enterprise))["context_id"])
    answers = await asyncio.gather(*(enterprise.post(REPORT, body) for _ in range(5)))
    again = await enterprise.post(REPORT, body)
    other = await enterprise.post(REPORT, {**body, "latency_ms": 21})
    assert len({answer.json["audit_id"] for answer in (*answers, again)}) == 1
    assert other.json["audit_id"] != again.json["audit_id"]
    assert len(await enterprise.rows("llm_call_audits", again.json["audit_id"])) == 1
    rows = [await enterprise.row_of(answer) for answer in (*answers, again)]
    assert sorted(row["tokens_used"] for row in rows) == [0, 0, 0, 0, 0, 1500]
    assert sum(row["metadata"].get("repeated", False) for row in rows) == 5


async def test_an_unknown_an_expired_and_a_foreign_context_are_refused_alike(
    enterprise: Planes, community: Planes
) -> None:
    unknown = await enterprise.post(REPORT, report("00000000-0000-4000-8000-000000000000"))
    of_another = await community.post(REPORT, report((await approved(community, "one"))["context_id"], client_id="two"))
    context_id = (await approved(enterprise))["context_id"]
    await _age(enterprise, context_id)
    expired = await enterprise.post(REPORT, report(context_id))
    for answer in (unknown, of_another, expired):
        assert (answer.status, answer.json) == (400, {"success": False, "error": "Invalid or expired context"})


async def _age(planes: Planes, context_id: str) -> None:
    """As the owner, since nobody else may change the record."""
    import psycopg

    with psycopg.connect(planes.agent.settings.owner_dsn.reveal(), autocommit=True) as owner:
        owner.execute("ALTER TABLE gateway_contexts NO FORCE ROW LEVEL SECURITY")
        owner.execute("UPDATE gateway_contexts SET expires_at = now() WHERE id = %s", (context_id,))
        owner.execute("ALTER TABLE gateway_contexts FORCE ROW LEVEL SECURITY")


async def test_a_call_that_was_proxied_is_a_context_too(enterprise: Planes) -> None:
    request_id = str(uuid.uuid4())
    row = AuditRow(
        org_id=ORG, created_at=datetime.now(UTC), id=request_id, decision_id=request_id, tenant_id=CLIENT,
        client_id=CLIENT, plane="llm", verdict="allowed",
    )  # fmt: skip
    await enterprise.agent.audit.write(AuditEntry(row))
    answer = await enterprise.post(REPORT, report(request_id))
    [call] = await enterprise.rows("llm_call_audits", answer.json["audit_id"])
    assert (call["context_id"], call["decision"]) == (request_id, "allow")


async def test_a_context_is_found_though_answers_do_not_wait_for_their_rows(postgres_server, tmp_path) -> None:
    from support.planes import planes

    with postgres_server.database() as url:
        async with planes(url, tmp_path, "community", AGENT_PERFORMANCE_MODE="true") as hasty:
            for _ in range(10):
                context_id = (await approved(hasty))["context_id"]
                assert (await hasty.post(REPORT, report(context_id))).status == 200
            assert (await hasty.post(REPORT, report("made-up"))).status == 400


async def test_usage_may_be_missing_and_a_total_alone_is_priced(enterprise: Planes) -> None:
    context_id = (await approved(enterprise))["context_id"]
    bare = await enterprise.post(REPORT, report(context_id, token_usage=None))
    total = await enterprise.post(REPORT, report(context_id, token_usage={"total_tokens": 1000}))
    [first] = await enterprise.rows("llm_call_audits", bare.json["audit_id"])
    [second] = await enterprise.rows("llm_call_audits", total.json["audit_id"])
    assert (first["total_tokens"], first["estimated_cost_usd"]) == (0, 0)
    assert second["total_tokens"] == 1000
    assert second["estimated_cost_usd"] > 0


@pytest.mark.parametrize(
    "change",
    [
        {"token_usage": {"prompt_tokens": -1}},
        {"token_usage": {"total_tokens": 10**30}},
        {"token_usage": {"prompt_tokens": 1.5}},
        {"token_usage": []},
        {"latency_ms": -1},
        {"provider": ""},
        {"model": "m" * 1000},
        {"context_id": None},
        {"response_summary": "s" * 501},
        {"metadata": {"a": "b" * 20_000}},
    ],
)
async def test_a_report_that_cannot_be_true_is_refused_and_changes_nothing(
    enterprise: Planes, change: dict[str, Any]
) -> None:
    context_id = (await approved(enterprise))["context_id"]
    answer = await enterprise.post(REPORT, report(context_id, **change))
    assert (answer.status, answer.json["success"]) == (400, False)
    assert (await enterprise.row_of(answer))["metadata"]["status"] == 400


async def test_a_call_that_was_made_against_a_denial_is_kept_as_that(enterprise: Planes) -> None:
    denied = (await enterprise.post(PRE_CHECK, {"query": SSN})).json
    answer = await enterprise.post(REPORT, report(denied["context_id"]))
    [call] = await enterprise.rows("llm_call_audits", answer.json["audit_id"])
    assert (call["decision"], call["metadata"]["called_despite_denial"]) == ("deny", True)


async def gaps(planes: Planes, query: str) -> Any:
    answer: Answer = await planes.ask("GET", f"{GAPS}?{query}")
    assert answer.status == 200, answer.body
    return answer.json


async def test_the_gap_report_counts_approvals_that_no_report_followed(community: Planes) -> None:
    for client in ("quiet", "quiet", "honest"):
        context_id = (await approved(community, client))["context_id"]
        if client == "honest":
            await community.post(REPORT, report(context_id, client_id=client))
        await _age(community, context_id)
    await approved(community, "quiet")
    told = await gaps(community, "client_id=quiet")
    assert {name: told["totals"][name] for name in ("approved", "audited", "unaudited", "open")} == {
        "approved": 3,
        "audited": 0,
        "unaudited": 2,
        "open": 1,
    }
    assert sum(gap["unaudited"] for gap in told["gaps"]) == 2
    honest = await gaps(community, "client_id=honest")
    assert (honest["totals"]["audited"], honest["gaps"], honest["total"]) == (1, [], 0)
    everyone = await gaps(community, "limit=1")
    assert everyone["totals"]["unaudited"] == 2
    assert len(everyone["gaps"]) <= 1


@pytest.mark.parametrize(
    "query", ["since=yesterday", "since=2026-01-01T00:00:00", "limit=0", "since=2199-01-01T00:00:00Z", "client_id=%00"]
)
async def test_a_question_that_no_gap_report_answers_is_told_so(community: Planes, query: str) -> None:
    assert (await community.ask("GET", f"{GAPS}?{query}")).status == 400


async def test_the_gap_report_tells_a_tenant_of_its_own_calls_alone(enterprise: Planes) -> None:
    await approved(enterprise)
    other = Caller(org_id=ORG, tenant_id="other", client_id="o", kind=CallerKind.CLIENT)
    foreign = Caller(org_id="rival", tenant_id=CLIENT, client_id=CLIENT, kind=CallerKind.CLIENT)
    minter = TokenMinter(Secret(INTERNAL_SECRET), "portal")
    seen = []
    for caller in (other, foreign):
        token = minter.mint(audience="agent", caller=caller, method="GET", target=GAPS)
        answer = await enterprise.ask("GET", GAPS, headers={TOKEN_HEADER: token})
        seen.append(answer.json["totals"]["approved"])
    assert seen == [0, 0]
    assert (await gaps(enterprise, ""))["totals"]["approved"] > 0


async def test_the_gap_report_asks_who_is_there(enterprise: Planes) -> None:
    assert (await enterprise.ask("GET", GAPS, headers={})).status == 401
