"""Calls on connectors through both services: judged, limited, masked, recorded, and kept apart by tenant and right."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import jwt
import psycopg
import pytest
from support.connector_stack import ADMIN_KEY, BASE, LOGIN, PASSWORD, Stack
from support.data_servers import free_port
from support.gateway import CLIENT, JWT_SECRET, ORG, basic

pytestmark = pytest.mark.asyncio(loop_scope="module")

READ = "SELECT id, text FROM notes.notes WHERE id <= :most ORDER BY id"
COUNT = "SELECT count(*) FROM notes.notes"
WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'notes.notes'::regclass AND NOT granted"
CUT_OFF = "SELECT request_type FROM audit_logs WHERE metadata ->> 'interrupted' = 'true'"


def written(stack: Stack) -> int:
    with psycopg.connect(stack.database_url) as owner:
        row = owner.execute(COUNT).fetchone()
    assert row is not None
    return int(row[0])


async def client(stack: Stack, client_id: str, *permissions: str, tenant_id: str = CLIENT) -> dict[str, str]:
    """Headers of a new client, once the agent knows it."""
    body = {"name": client_id, "id": client_id, "tenant_id": tenant_id, "permissions": list(permissions)}
    made = await stack.ask("POST", "/api/clients", body, {"X-Admin-API-Key": ADMIN_KEY})
    assert made.status == 201, made.body
    headers = {"Authorization": basic(client_id, made.json["client_secret"])}
    deadline = time.monotonic() + 20
    while (await stack.ask("GET", "/mcp/connectors", headers=headers)).status == 401:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    return headers


async def test_rows_come_masked_with_their_paths_and_leave_both_rows(stack: Stack) -> None:
    answer = await stack.query("crm", "SELECT name, ssn FROM people ORDER BY id", limit=2)
    assert answer.status == 200, answer.body
    told = answer.json
    assert [row["name"] for row in told["data"]] == ["Ann 0", "Ann 1"]
    assert "123-45-6780" not in answer.body.decode()
    assert told["redacted_fields"] == ["data[0].ssn", "data[1].ssn"]
    assert (told["success"], told["connector"], told["row_count"], told["redacted"]) == (True, "crm", 2, True)
    info = told["policy_info"]
    assert info["policies_evaluated"] > 0
    assert info["exfiltration_check"]["rows_returned"] == 2
    row, detail = await stack.agent.row_of(answer), await stack.detail(answer)
    assert (row["plane"], row["verdict"], row["request_type"]) == ("mcp", "redacted", "mcp-query")
    assert (detail["connector_name"], detail["row_count"], detail["success"]) == ("crm", 2, True)
    assert detail["response_redacted_fields"] == ["data[0].ssn", "data[1].ssn"]
    assert "123-45-6780" not in json.dumps([row, detail], default=str)


@pytest.mark.parametrize("more", [{"parameters": {"most": 3}}, {"options": {"parameters": {"most": 3}}}])
async def test_values_are_parameters_wherever_a_client_can_put_them(stack: Stack, more: dict[str, Any]) -> None:
    answer = await stack.query("notes", READ, **more)
    assert [row["text"] for row in answer.json["data"]] == ["note 1", "note 2", "note 3"]


async def test_injection_is_denied_before_the_connector_is_asked(stack: Stack) -> None:
    creations = stack.agent.agent.connectors.live.counters.creations
    statement = "SELECT * FROM notes.notes WHERE id = 1 OR 1=1 UNION SELECT usename, passwd FROM pg_shadow"
    answer = await stack.query("notes", statement)
    assert answer.status == 403
    told = answer.json
    assert (told["success"], told["blocked"]) == (False, True)
    assert told["error"] == told["block_reason"]
    assert told["policy_info"]["matched_policies"]
    assert (await stack.detail(answer))["request_blocked"] is True
    assert stack.agent.agent.connectors.live.counters.creations == creations


async def test_a_query_never_writes_and_a_write_is_done_once(stack: Stack) -> None:
    before = written(stack)
    insert = "INSERT INTO notes.notes VALUES (:id, :text)"
    refused = await stack.query("notes", insert, parameters={"id": 1001, "text": "by query"})
    assert refused.status in {400, 403}
    assert refused.json["success"] is False
    assert written(stack) == before
    done = await stack.execute("notes", "INSERT", insert, parameters={"id": 1002, "text": "by execute"})
    assert (done.status, done.json["rows_affected"]) == (200, 1), done.body
    assert done.json["message"] == "1 row affected"
    assert written(stack) == before + 1
    assert (await stack.detail(done))["operation"] == "insert"
    mismatch = await stack.execute("notes", "INSERT", "DELETE FROM notes.notes WHERE id = 1002")
    assert mismatch.status == 400
    assert written(stack) == before + 1


async def test_too_many_rows_are_refused_and_a_limit_of_the_caller_cuts(stack: Stack) -> None:
    refused = await stack.query("notes", READ, parameters={"most": 51})
    assert refused.status == 403
    check = refused.json["policy_info"]["exfiltration_check"]
    assert (check["exceeded"], check["limit_type"], check["row_limit"]) == (True, "rows", 50)
    assert "data" not in refused.json
    assert (await stack.detail(refused))["exfil_exceeded"] is True
    cut = await stack.query("notes", READ, parameters={"most": 51}, limit=10)
    assert (cut.json["row_count"], cut.json["truncated"]) == (10, True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"statement": "SELECT 1"}, 400),
        ({"connector": "notes"}, 400),
        ({"connector": "notes", "statement": "SELECT 1", "timeout": "soon"}, 400),
        ({"connector": "notes", "statement": "SELECT 1", "limit": -1}, 400),
        ({"connector": "nothing", "statement": "SELECT 1"}, 404),
        ({"connector": "notes", "statement": "SELECT 1", "tenant_id": "another"}, 403),
        ({"connector": "notes", "statement": "SELECT 1", "user_token": "wrong"}, 401),
    ],
)
async def test_each_refusal_has_its_envelope_and_its_row(stack: Stack, body: dict[str, Any], status: int) -> None:
    for path in ("/mcp/resources/query", "/mcp/tools/execute"):
        answer = await stack.ask("POST", path, {**body, "action": "INSERT"})
        assert answer.status == status, answer.body
        assert answer.json["success"] is False
        assert answer.json["error"]
        await stack.agent.row_of(answer)


async def test_a_server_that_is_gone_answers_502_with_a_row(stack: Stack) -> None:
    options = {**stack.postgres, "port": free_port()}
    assert (await stack.install("gone", "postgres", options, credentials={"password": PASSWORD})).status == 201
    answer = await _until(stack, "gone", 502)
    assert answer.json == {
        "success": False,
        "error": "Query execution failed: The server of this connector cannot be reached",
    }
    detail = await stack.detail(answer)
    assert (detail["success"], detail["error_message"]) == (False, "The server of this connector cannot be reached")
    assert (await stack.agent.row_of(answer))["metadata"]["fault"] == "unreachable"
    health = await stack.ask("GET", "/mcp/connectors/gone/health")
    assert (health.status, health.json["healthy"]) == (200, False)


async def test_a_call_that_is_cut_off_after_its_connector_was_asked_leaves_its_row(stack: Stack) -> None:
    """As the end of a drain does it."""
    person = {"user_id": 7, "email": "a@b.example", "tenant_id": CLIENT, "permissions": ["mcp_query"]}
    token = jwt.encode({**person, "exp": 4_102_444_800}, JWT_SECRET, "HS256")
    check = {"query": "SELECT text FROM notes.notes", "client_id": CLIENT, "user_token": token}
    insert = "INSERT INTO notes.notes VALUES (:id, :text)"
    with psycopg.connect(stack.database_url) as owner:
        owner.execute("LOCK TABLE notes.notes IN ACCESS EXCLUSIVE MODE")
        calls = [
            asyncio.create_task(work)
            for work in (
                stack.query("notes", READ, parameters={"most": 3}),
                stack.execute("notes", "INSERT", insert, parameters={"id": 2001, "text": "cut off"}),
                stack.ask("POST", "/api/policy/pre-check", {**check, "data_sources": ["notes"]}),
            )
        ]
        deadline = time.monotonic() + 20
        while (found := owner.execute(WAITING).fetchone()) is None or found[0] < len(calls):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        for each in calls:
            each.cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in ended] == [asyncio.CancelledError] * 3
    with psycopg.connect(stack.database_url) as owner:
        rows = owner.execute(CUT_OFF).fetchall()
        detail = owner.execute("SELECT success FROM mcp_query_audits WHERE error_message LIKE '%cut off%'").fetchall()
    assert {row[0] for row in rows} == {"mcp-query", "mcp-insert", "pre_check"}
    assert len(rows) == 3
    assert detail == [(False,), (False,)]


async def test_a_driver_that_fails_on_a_bug_leaves_the_whole_row(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    connectors = stack.agent.agent.connectors

    async def broken(_call: Any) -> Any:
        raise RuntimeError(PASSWORD)

    async with connectors.using(ORG, await connectors.one(ORG, CLIENT, "crm")) as driver:
        monkeypatch.setattr(driver, "execute", broken)
    answer = await stack.execute("crm", "DELETE", "DELETE FROM people WHERE id = 77")
    assert answer.status == 500
    assert PASSWORD not in answer.body.decode()
    detail = await stack.detail(answer)
    assert (detail["operation"], detail["success"]) == ("delete", False)
    row = await stack.agent.row_of(answer)
    assert (row["request_type"], row["metadata"]["status"]) == ("mcp-delete", 500)


async def test_an_address_that_was_saved_is_checked_again_when_it_is_dialled(stack: Stack) -> None:
    options = {**stack.postgres, "host": "127.0.0.2"}
    assert (await stack.install("elsewhere", "postgres", options, credentials={"password": PASSWORD})).status == 201
    answer = await _until(stack, "elsewhere", 403)
    assert (await stack.agent.row_of(answer))["metadata"]["fault"] == "egress"


async def test_rights_of_the_client_and_of_the_person_both_hold(stack: Stack) -> None:
    narrow = await client(stack, "narrow-app", "crm:execute", "notes")
    assert (await stack.query("notes", READ, parameters={"most": 1}, headers=narrow)).status == 200
    denied = await stack.query("crm", "SELECT 1 AS one", headers=narrow)
    assert denied.status == 403
    assert denied.json["error"] == "Permission denied: service narrow-app connector crm operation query"
    person = {"user_id": 7, "email": "a@b.example", "tenant_id": CLIENT, "permissions": ["notes:query"]}
    token = jwt.encode({**person, "exp": 4_102_444_800}, JWT_SECRET, "HS256")
    assert (await stack.query("notes", READ, parameters={"most": 1}, user_token=token)).status == 200
    other = await stack.query("crm", "SELECT 1 AS one", user_token=token)
    assert (other.status, other.json["error"]) == (403, "Unauthorized connector access")
    await stack.agent.row_of(other)


async def test_only_who_may_change_connectors_does(stack: Stack) -> None:
    reader, writer = (
        await client(stack, "reader-app", "mcp_query"),
        await client(stack, "writer-app", "connector:write"),
    )
    body = {"name": "small", "options": {"path": "crm.db"}}
    for path in (f"{BASE}/sqlite/install", f"{BASE}/sqlite/test"):
        refused = await stack.ask("POST", path, body, reader)
        assert (refused.status, refused.json["error"]) == (
            403,
            "Permission denied: connectors are changed with connector:write",
        )
    assert (await stack.ask("GET", f"{BASE}/crm", headers=reader)).status == 200
    assert (await stack.ask("DELETE", f"{BASE}/crm", headers=reader)).status == 403
    assert (await stack.ask("POST", f"{BASE}/sqlite/install", body, writer)).status == 201
    person = {"user_id": 7, "email": "a@b.example", "tenant_id": "teller-app", "permissions": ["mcp_query"]}
    token = jwt.encode({**person, "exp": 4_102_444_800}, JWT_SECRET, "HS256")
    as_person = {**writer, "X-Axonflow-User-Token": token}
    assert (await stack.ask("DELETE", f"{BASE}/small", headers=as_person)).status == 403
    assert (await stack.ask("DELETE", f"{BASE}/small", headers=writer)).status == 204


async def test_another_tenant_has_none_of_them(stack: Stack) -> None:
    stranger = await client(stack, "stranger-app", tenant_id="strangers")
    assert (await stack.ask("GET", "/mcp/connectors", headers=stranger)).json == {"connectors": [], "count": 0}
    assert (await stack.query("notes", READ, parameters={"most": 1}, headers=stranger)).status == 404
    assert (await stack.ask("GET", "/mcp/connectors/notes/health", headers=stranger)).status == 404
    refused = await stack.ask("POST", f"{BASE}/refresh/{CLIENT}", headers=stranger)
    assert (refused.status, refused.json) == (403, {"success": False, "error": "Tenant mismatch"})


async def test_connectors_are_listed_with_their_health(stack: Stack) -> None:
    answer = await stack.ask("GET", "/mcp/connectors")
    entry = next(each for each in answer.json["connectors"] if each["name"] == "notes")
    assert (entry["type"], entry["healthy"], entry["capabilities"]) == ("postgres", True, ["execute", "query"])
    one = await stack.ask("GET", "/mcp/connectors/notes/health")
    assert one.json["healthy"] is True
    assert one.json["last_check"]
    overall = (await stack.ask("GET", "/mcp/health", headers={})).json
    assert overall["healthy_count"] >= 1
    assert (await stack.ask("GET", "/mcp/connectors", headers={})).status == 401


async def test_a_pre_check_hands_out_masked_rows_and_its_row_tells_what_was_skipped(stack: Stack) -> None:
    person = {"user_id": 7, "email": "a@b.example", "tenant_id": CLIENT, "permissions": ["mcp_query"]}
    token = jwt.encode({**person, "exp": 4_102_444_800}, JWT_SECRET, "HS256")
    body = {
        "query": "SELECT name, ssn FROM people WHERE id < 2",
        "client_id": CLIENT,
        "user_token": token,
        "data_sources": ["crm", "nowhere", "notes"],
    }
    answer = await stack.ask("POST", "/api/policy/pre-check", body)
    data = answer.json["approved_data"]
    assert (data["crm"]["row_count"], set(data)) == (2, {"crm"})
    assert "123-45-6781" not in answer.body.decode()
    kept = (await stack.agent.row_of(answer))["metadata"]
    assert kept["data_sources"] == ["crm"]
    assert kept["skipped_sources"] == {"nowhere": "unknown", "notes": "failed"}


async def test_a_removed_connector_is_gone_and_a_changed_one_is_opened_anew(stack: Stack) -> None:
    assert (await stack.install("brief", "sqlite", {"path": "crm.db"})).status == 201
    assert (await _until(stack, "brief", 200)).status == 200
    changed = await stack.ask("PUT", f"{BASE}/brief", {"options": {"path": "none.db"}})
    assert changed.status == 200, changed.body
    await _until(stack, "brief", 502)
    assert (await stack.ask("DELETE", f"{BASE}/brief")).status == 204
    await _until(stack, "brief", 404)


async def test_the_cache_is_evicted_and_counted(stack: Stack) -> None:
    await stack.query("crm", "SELECT 1 AS one")
    cached = (await stack.ask("GET", f"{BASE}/cache/stats")).json
    assert cached["cached_connectors"] >= 2
    assert cached["tenant_id"] == CLIENT
    assert "deployment" not in cached
    counters = stack.agent.agent.connectors.definitions.counters
    misses = counters.misses
    evicted = await stack.ask("POST", f"{BASE}/refresh/{CLIENT}/crm")
    assert (evicted.status, evicted.json["scope"], evicted.json["connector"]) == (200, "connector", "crm")
    await stack.query("crm", "SELECT 1 AS one")
    assert counters.misses == misses + 1
    page = (await stack.ask("GET", "/prometheus")).body.decode()
    assert 'axonflow_connector_cache_stats{stat="evictions"}' in page


async def test_no_credential_is_in_any_answer_row_or_log(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [
        await stack.ask("GET", BASE),
        await stack.ask("GET", f"{BASE}/notes"),
        await stack.ask("POST", f"{BASE}/notes/test"),
        await stack.query("notes", READ, parameters={"most": 2}),
        await stack.query("notes", "SELECT nothing FROM nowhere"),
        await stack.ask("GET", "/mcp/connectors"),
    ]
    assert answers[2].json["healthy"] is True
    assert answers[4].status == 500
    texts = [answer.body.decode() for answer in answers] + [caplog.text]
    with psycopg.connect(stack.database_url) as owner:
        for table in ("connectors", "connector_health", "audit_logs", "mcp_query_audits"):
            texts += [str(row) for row in owner.execute(f"SELECT to_jsonb(t)::text FROM {table} t").fetchall()]
    hidden = (PASSWORD, PASSWORD.encode().hex())
    assert not [text for text in texts if any(word in text for word in hidden)]
    assert LOGIN not in caplog.text


async def _until(stack: Stack, connector: str, status: int) -> Any:
    """The first answer with ``status``: a change is announced, and heard of a moment later."""
    deadline = time.monotonic() + 20
    while True:
        answer = await stack.query(connector, "SELECT 1 AS one")
        if answer.status == status:
            return answer
        assert time.monotonic() < deadline, answer.body
        await asyncio.sleep(0.02)
