"""The record through the unmodified official SDK: searched, reported to, listed and explained, behind one agent."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from support.axonflow_sdk import AxonFlowSdk, call
from support.gateway import CLIENT, CLIENT_SECRET, INTERNAL_SECRET, ORG, SSN_TEXT, Gateway, request, running_gateway
from support.postgres import Server
from support.processes import running_service
from support.upstream import Upstream

ROWS_SHOWN = 5


@pytest.fixture(scope="module")
def stack(
    postgres_server: Server, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, str]]:
    """An agent before an orchestrator that lists five decisions at most, and the id of a denied one of six."""
    directory = tmp_path_factory.mktemp("record")
    with postgres_server.database() as url:
        environ = {
            "DATABASE_URL": url,
            "DEPLOYMENT_MODE": "enterprise",
            "ORG_ID": ORG,
            "AXONFLOW_INTERNAL_SERVICE_SECRET": INTERNAL_SECRET,
            "AUDIT_FALLBACK_PATH": str(directory / "orchestrator.jsonl"),
            "AXONFLOW_LIMIT_DECISIONS_LIST_ROWS": str(ROWS_SHOWN),
        }
        with (
            running_service("axonflow_orchestrator", environ, directory / "orchestrator.log") as behind,
            running_gateway(url, upstream, directory, "enterprise", ORCHESTRATOR_URL=behind.url) as gateway,
        ):
            for number in range(ROWS_SHOWN):
                assert gateway.chat(f"Say {number}.").status == 200
            messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": SSN_TEXT}]
            denied = gateway.post({"model": "gpt-4o-mini", "messages": messages})
            assert denied.status == 400
            yield gateway, denied.headers["x-axonflow-decision-id"]


TOOL_CALL = call(
    "audit_tool_call",
    request=("AuditToolCallRequest", {"tool_name": "sql.run", "input": {"q": "select 1"}, "duration_ms": 5}),
)


def run(
    sdk: AxonFlowSdk, stack: tuple[Gateway, str], *calls: dict[str, Any], sync: bool = False
) -> list[dict[str, Any]]:
    url = stack[0].service.url
    return sdk.run(url, *calls, client_id=CLIENT, client_secret=CLIENT_SECRET, sync=sync)


@pytest.fixture(scope="module")
def told(sdk: AxonFlowSdk, stack: tuple[Gateway, str]) -> dict[str, dict[str, Any]]:
    """What one client of a release was told, by what it asked for."""
    gateway, decision_id = stack
    tenant_id = gateway.rows("audit_logs", decision_id)[0]["tenant_id"]
    page = ("AuditQueryOptions", {"limit": 2, "offset": 1})
    only = ("ListDecisionsOptions", {"decision": "deny", "policy_id": "sys_pii_ssn"})
    calls = {
        "decision": call("search_audit_logs", request=("AuditSearchRequest", {"decision_id": decision_id})),
        "policy": call("search_audit_logs", request=("AuditSearchRequest", {"policy_name": "ssn", "limit": 1})),
        "page": call("get_audit_logs_by_tenant", tenant_id=tenant_id, options=page),
        "elsewhere": call("get_audit_logs_by_tenant", tenant_id="somebody-else"),
        "reported": TOOL_CALL,
        "listed": call("list_decisions"),
        "denied": call("list_decisions", opts=only),
        "explained": call("explain_decision", decision_id=decision_id),
        "missing": call("explain_decision", decision_id="no-such-decision"),
        "beyond": call("list_decisions", opts=("ListDecisionsOptions", {"limit": ROWS_SHOWN + 1})),
    }
    return dict(zip(calls, run(sdk, stack, *calls.values()), strict=True))


def test_rows_are_searched_and_paged_by_the_sdks_own_models(told: dict[str, dict[str, Any]]) -> None:
    found, by_policy, page = (told[name]["value"] for name in ("decision", "policy", "page"))
    [entry] = found["entries"]
    assert (entry["blocked"], entry["success"], found["total"]) == (True, False, 1)
    assert "sys_pii_ssn" in entry["policy_violations"]
    assert (by_policy["total"], by_policy["entries"][0]["id"]) == (1, entry["id"])
    assert (len(page["entries"]), page["limit"], page["offset"]) == (2, 2, 1)
    assert page["total"] > ROWS_SHOWN
    assert "Tenant not found" in told["elsewhere"]["message"]


def test_decisions_are_listed_explained_and_capped(stack: tuple[Gateway, str], told: dict[str, dict[str, Any]]) -> None:
    assert len(told["listed"]["value"]) == ROWS_SHOWN
    denied = [(each["decision_id"], each["decision"]) for each in told["denied"]["value"]]
    assert denied == [(stack[1], "deny")]
    explained = told["explained"]["value"]
    assert (explained["decision"], explained["historical_hit_count_session"]) == ("deny", 1)
    assert explained["policy_matches"][0]["policy_id"] == "sys_pii_ssn"
    assert explained["matched_rules"][0]["matched_on"] == "messages[1].content"
    assert "not found" in told["missing"]["message"]
    assert told["beyond"]["error"] == "RateLimitError"


def test_a_tool_call_is_reported_by_either_client(
    sdk: AxonFlowSdk, stack: tuple[Gateway, str], told: dict[str, dict[str, Any]]
) -> None:
    [without_coroutines] = run(sdk, stack, TOOL_CALL, sync=True)
    for each in (told["reported"]["value"], without_coroutines["value"]):
        assert each["status"] == "recorded"
        shown = request(f"{stack[0].service.url}/api/v1/audit/{each['audit_id']}", "GET", stack[0].credentials)
        assert (shown.status, shown.json["metadata"]["tool_name"]) == (200, "sql.run")


def test_the_agent_relays_exports_traces_and_the_roles_of_what_matched(stack: tuple[Gateway, str]) -> None:
    gateway, decision_id = stack
    base, credentials = gateway.service.url, gateway.credentials
    explained = request(f"{base}/api/v1/decisions/{decision_id}/explain", "GET", credentials).json
    assert explained["spans_by_role"] == {"user": 1}
    assert explained["action_origin"] == "stored"
    assert explained["counterfactual"]["would_be"] == "allowed"
    rows = request(f"{base}/api/v1/audit/correlation/{explained['trace_id']}", "GET", credentials).json["rows"]
    assert [row["source"] for row in rows] == ["audit_logs", "llm_call_audits"]
    export = request(f"{base}/api/v1/audit/export?format=csv&decision_id={decision_id}", "GET", credentials)
    lines = list(csv.DictReader(io.StringIO(export.body.decode(), newline="")))
    assert [(line["decision_id"], line["policy_decision"]) for line in lines] == [(decision_id, "deny")]
    assert "123-45-6789" not in export.body.decode() + str(explained)


def test_the_agent_relays_replays_drafts_and_the_recording_setting(stack: tuple[Gateway, str]) -> None:
    gateway, decision_id = stack
    base, credentials = f"{gateway.service.url}/api/v1/decisions", gateway.credentials
    replayed = request(f"{base}/{decision_id}/replay", "POST", credentials, b"{}").json
    assert (replayed["replayable"], replayed["not_replayable"]["code"]) == (False, "redacted")
    draft = b'{"policies": [{"policy_id": "sys_pii_ssn", "action": "warn"}]}'
    run_over = request(f"{base}/drafts", "POST", credentials, draft).json
    assert [(flip["decision_id"], flip["to"]) for flip in run_over["flips"]] == [(decision_id, "allowed")]
    asked = request(f"{base}/recording", "PUT", credentials, b'{"mode": "off"}')
    assert (asked.status, asked.json["mode"], asked.json["set_by"]) == (200, "off", "tenant")
    assert request(f"{base}/recording", "PUT", credentials, b'{"mode": "redacted"}').json["mode"] == "redacted"
    assert request(f"{base}/recording", "GET", credentials).json["ceiling"] == "redacted"
