"""The MCP checks in process: what is scanned, what is masked, what is recorded, and what a repetition gets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter
from axonflow_settings import Secret
from support.gateway import CLIENT, INTERNAL_SECRET, ORG, SSN_TEXT, Answer
from support.planes import Planes

pytestmark = pytest.mark.asyncio(loop_scope="module")

INPUT, OUTPUT = "/api/v1/mcp/check-input", "/api/v1/mcp/check-output"
INJECTION = "SELECT * FROM users WHERE id = 1 OR 1=1 UNION SELECT password FROM admins; DROP TABLE users; --"


async def ask(agent: Planes, statement: str = "SELECT name FROM branches", **more: Any) -> Answer:
    return await agent.post(INPUT, {"connector_type": "postgres", "statement": statement, **more})


async def told(agent: Planes, **more: Any) -> Answer:
    return await agent.post(OUTPUT, {"connector_type": "postgres", **more})


async def detail(agent: Planes, answer: Answer) -> dict[str, Any]:
    [row] = await agent.rows("mcp_query_audits", answer.headers["x-axonflow-decision-id"])
    return row


async def test_a_plain_statement_passes_and_is_recorded(agent: Planes) -> None:
    answer = await ask(agent, parameters={"city": "Oslo", "limit": 5, "open": True})
    assert (answer.status, answer.json["allowed"], answer.json["risk_level"]) == (200, True, "low")
    assert answer.json["policies_evaluated"] == answer.json["policy_info"]["policies_evaluated"] > 50
    assert answer.json["decision_id"] == answer.headers["x-axonflow-decision-id"]
    row, detailed = await agent.row_of(answer), await detail(agent, answer)
    assert (row["plane"], row["request_type"], row["verdict"]) == ("mcp", "mcp-check-input", "allowed")
    assert (detailed["connector_name"], detailed["parameter_count"], detailed["success"]) == ("postgres", 3, True)
    assert len(detailed["statement_hash"]) == 64


async def test_an_injected_statement_is_denied_with_the_same_members(agent: Planes) -> None:
    answer = await ask(agent, INJECTION, operation="query")
    told = answer.json
    assert (answer.status, told["allowed"], told["policy_info"]["blocked"]) == (403, False, True)
    assert told["block_reason"] == told["policy_info"]["block_reason"] != ""
    assert told["policy_matches"][0]["action"] == "block"
    assert {"policy_id", "policy_name", "category", "severity", "action"} <= told["policy_info"]["matched_policies"][
        0
    ].keys()
    detailed = await detail(agent, answer)
    assert (detailed["request_blocked"], detailed["success"]) == (True, False)
    assert detailed["request_matched_policies"][0] == told["policy_matches"][0]["policy_id"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"note": SSN_TEXT},
        {"person": {"papers": [{"ssn": "123-45-6789"}]}},
        {"card": 4111111111111111},
        {"list": ["a", {"b": "x\n'; DROP TABLE users; --"}]},
        {"ssn 123-45-6789": 1},
    ],
)  # fmt: skip
async def test_every_parameter_is_scanned_wherever_it_stands(agent: Planes, parameters: dict[str, Any]) -> None:
    answer = await ask(agent, parameters=parameters)
    assert (answer.status, answer.json["allowed"]) == (403, False)
    assert "123-45-6789" not in json.dumps(answer.json)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"connector_type": "postgres"},
        {"statement": "SELECT 1"},
        {"connector_type": " ", "statement": "SELECT 1"},
        {"connector_type": "a" * 257, "statement": "SELECT 1"},
        {"connector_type": "postgres", "statement": "SELECT 1", "operation": "drop"},
        {"connector_type": "postgres", "statement": 7},
        {"connector_type": "postgres", "statement": "SELECT 1", "parameters": []},
    ],
)  # fmt: skip
async def test_a_bad_question_is_a_denial_that_says_why_and_is_recorded(agent: Planes, body: dict[str, Any]) -> None:
    answer = await agent.post(INPUT, body)
    assert (answer.status, answer.json["allowed"], answer.json["success"]) == (400, False, False)
    assert answer.json["error"] == answer.json["block_reason"] != ""
    assert (await agent.row_of(answer))["verdict"] == "error"


async def test_a_tenant_of_somebody_else_is_refused_as_a_check_refuses(agent: Planes) -> None:
    answer = await ask(agent, tenant_id="other")
    assert (answer.status, answer.json["allowed"]) == (403, False)
    assert "Tenant mismatch" in answer.json["block_reason"]


async def test_rows_are_masked_inside_and_stay_what_they_are(agent: Planes) -> None:
    rows = [
        {"id": 1, "name": "Ann", "open": True, "none": None},
        {"ssn": 123456789, "papers": {"mail": ["ann@example.com", 7]}, "text": '{"phone": "+1 415 555 2671"}'},
    ]
    answer = await told(agent, response_data=rows)
    data = answer.json["redacted_data"]
    assert (answer.status, answer.json["allowed"], data[0]) == (200, True, rows[0])
    assert data[1]["ssn"] == "XXX-XX-6789"
    assert data[1]["papers"] == {"mail": ["[REDACTED:email]", 7]}
    assert json.loads(data[1]["text"]) == {"phone": "***-***-2671"}
    assert set(answer.json["redacted_fields"]) == {"data[1].ssn", "data[1].papers.mail[0]", "data[1].text"}
    assert answer.json["policy_info"]["redactions_applied"] == 3
    row, detailed = await agent.row_of(answer), await detail(agent, answer)
    assert (row["verdict"], row["phase"]) == ("redacted", "response")
    assert (detailed["response_redacted"], set(detailed["response_redacted_fields"])) == (
        True,
        set(answer.json["redacted_fields"]),
    )
    assert "ann@example.com" not in json.dumps([row, detailed], default=str)


async def test_a_clean_answer_is_not_sent_back(agent: Planes) -> None:
    answer = await told(agent, response_data=[{"a": 1}])
    assert answer.json["allowed"]
    assert "redacted_data" not in answer.json
    assert answer.json["exfiltration_info"] == {
        "rows_returned": 1, "row_limit": 5, "bytes_returned": 10, "byte_limit": 10_485_760, "exceeded": False,
        "limit_type": "none", "within_limits": True,
    }  # fmt: skip


async def test_a_message_is_masked_as_text_or_as_the_json_it_is(agent: Planes) -> None:
    text = (await told(agent, message="write to ann@example.com")).json
    assert text["redacted_data"] == text["redacted_message"] == "write to [REDACTED:email]"
    assert "exfiltration_info" not in text
    nested = (await told(agent, message='[{"mail": "ann@example.com", "n": 1}]')).json
    assert json.loads(nested["redacted_message"]) == [{"mail": "[REDACTED:email]", "n": 1}]


async def test_what_escapes_hide_is_masked_too(agent: Planes) -> None:
    hidden = {"note": "line one\nann\\u0040example.com", "x": "ok"}
    answer = await told(agent, response_data=[hidden])
    assert "example.com" not in json.dumps(answer.json.get("redacted_data", hidden)).replace("\\\\", "\\")


async def test_an_answer_that_carries_an_injection_is_denied_and_not_repeated(agent: Planes) -> None:
    answer = await told(agent, response_data=[{"bio": "x'; DROP TABLE users; --"}])
    assert (answer.status, answer.json["allowed"]) == (403, False)
    assert "redacted_data" not in answer.json


async def test_more_rows_than_the_limit_are_denied_and_recorded(agent: Planes) -> None:
    for body in ({"response_data": [{"a": 1}] * 6}, {"response_data": [{"a": 1}], "row_count": 6}):
        answer = await told(agent, **body)
        assert (answer.status, answer.json["allowed"]) == (403, False)
        assert answer.json["exfiltration_info"]["limit_type"] == "rows"
        assert answer.json["block_reason"] == "The answer has 6 rows, more than the limit of 5"
        row, detailed = await agent.row_of(answer), await detail(agent, answer)
        assert (row["verdict"], row["matched_policies"][0]["policy_id"]) == ("blocked", "exfiltration_limit")
        assert (detailed["exfil_exceeded"], detailed["exfil_limit_type"], detailed["row_count"]) == (True, "rows", 6)


@pytest.mark.parametrize("body", [{}, {"response_data": [], "message": "a"}, {"message": "a", "row_count": -1}])
async def test_an_answer_that_is_none_is_refused(agent: Planes, body: dict[str, Any]) -> None:
    answer = await told(agent, **body)
    assert (answer.status, answer.json["allowed"]) == (400, False)


async def test_a_lever_of_the_mcp_planes_moves_them_alone(agent: Planes) -> None:
    statement = "rm -rf / --no-preserve-root"
    checked = (await ask(agent, statement)).json
    decided = (await agent.post("/api/v1/decide", {"stage": "tool", "query": statement})).json
    assert (checked["allowed"], decided["verdict"]) == (True, "deny")
    assert checked["policy_matches"][0]["action"] == "warn"


async def test_what_a_tenant_wrote_judges_its_checks(agent: Planes) -> None:
    policy = {
        "name": "Project name", "pattern": "project\\s+kittiwake", "category": "custom", "action": "block",
        "severity": "high",
    }  # fmt: skip
    written = await agent.post("/api/v1/static-policies", policy)
    assert written.status == 201, written.body
    for _ in range(50):
        answer = await ask(agent, "SELECT budget FROM projects -- project kittiwake")
        if answer.status == 403:
            break
        await asyncio.sleep(0.1)
    assert answer.json["policy_matches"][0]["policy_id"] == written.json["policy_id"]
    await agent.ask("DELETE", f"/api/v1/static-policies/{written.json['id']}")


async def test_a_key_is_judged_once_and_then_replayed_with_a_row_of_its_own(agent: Planes) -> None:
    headers = {**agent.headers, "Idempotency-Key": "check:1"}
    body = {"connector_type": "postgres", "statement": INJECTION}
    first = await agent.post(INPUT, body, headers)
    again = await agent.post(INPUT, body, headers)
    assert (first.status, again.status, again.body) == (403, 403, first.body)
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    row = await agent.row_of(again)
    assert (row["verdict"], row["metadata"]["replay_of"]) == ("blocked", first.json["decision_id"])
    other = await agent.post(INPUT, {**body, "statement": "SELECT 1"}, headers)
    assert (other.status, other.json["allowed"]) == (409, False)
    bad = await agent.post(INPUT, body, {**agent.headers, "Idempotency-Key": "no spaces"})
    assert (bad.status, bad.json["allowed"]) == (400, False)


async def test_a_service_checks_for_whom_its_token_names(agent: Planes) -> None:
    who = Caller(org_id=ORG, tenant_id="batch", client_id="orchestrated", kind=CallerKind.CLIENT)
    body = json.dumps({"connector_type": "crm", "statement": "SELECT 1"}).encode()
    minter = TokenMinter(Secret(INTERNAL_SECRET), "orchestrator")
    token = minter.mint(audience="agent", caller=who, method="POST", target=INPUT, body=body)
    answer = await agent.post(INPUT, body, {TOKEN_HEADER: token})
    row = await agent.row_of(answer)
    assert (answer.status, row["client_id"], row["tenant_id"]) == (200, "orchestrated", "batch")


async def test_a_row_of_the_record_stays_small_however_much_was_found(agent: Planes) -> None:
    listed = [{"mail": f"user{number}@example.com"} for number in range(300)]
    answer = await told(agent, message=json.dumps(listed))
    row = await agent.row_of(answer)
    assert (answer.json["policy_info"]["redactions_applied"], len(row["matched_policies"])) == (300, 1)
    many = await ask(agent, parameters={"n": [f"{number}@example.com" for number in range(300)]})
    assert many.json["allowed"]


async def test_the_record_names_the_client_that_asked(agent: Planes) -> None:
    row = await agent.row_of(await ask(agent))
    assert (row["client_id"], row["org_id"]) == (CLIENT, ORG)
