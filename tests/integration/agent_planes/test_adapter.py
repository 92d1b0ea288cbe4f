"""What the adapter promises to whoever builds a plane on it, and what the planes show of themselves."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from axonflow_agent import app as agent_app
from axonflow_agent.app import create_app, routes_of
from axonflow_agent.governed import Adapter, Call, Governed
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault, Surface
from axonflow_contracts.verdicts import Plane
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter
from axonflow_policy import Content
from axonflow_settings import Secret
from starlette.responses import Response
from support.gateway import CLIENT, INTERNAL_SECRET, ORG, basic
from support.planes import Planes

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/v1/mcp/toy"
WHO = Caller(org_id=ORG, tenant_id="batch", client_id="orchestrated", kind=CallerKind.CLIENT)


async def toy(call: Call) -> Response:
    wanted = call.document.get("do")
    decision = await call.judge(Content.of(str(call.document.get("text", ""))))
    if wanted == "bug":
        raise ZeroDivisionError
    await call.record(decision, stage="tool")
    if wanted == "late fault":
        raise Fault(502, "The connector is down")
    return call.json({"client": call.caller.client_id, "allowed": not decision.denied})


@pytest.fixture
def with_toy(enterprise: Planes, monkeypatch: pytest.MonkeyPatch) -> Planes:
    agent = enterprise.agent
    governed = Governed(door=agent.door, governor=agent.governor, metrics=agent.metrics, max_body_bytes=65_536)
    adapter = Adapter(
        path=PATH, plane=Plane.MCP, kind="toy", surface=Surface.HANDLER, door_surface=Surface.HANDLER, answer=toy,
        admits_services=True,
    )  # fmt: skip
    whole = routes_of(agent)
    monkeypatch.setattr(agent_app, "routes_of", lambda _agent: [governed.route(adapter), *whole])
    return dataclasses.replace(enterprise, app=create_app(agent))


def token(body: bytes) -> dict[str, str]:
    minter = TokenMinter(Secret(INTERNAL_SECRET), "orchestrator")
    return {TOKEN_HEADER: minter.mint(audience="agent", caller=WHO, method="POST", target=PATH, body=body)}


async def test_a_service_calls_on_behalf_of_whom_its_token_names(with_toy: Planes) -> None:
    body = json.dumps({"text": "My SSN is 123-45-6789"}).encode()
    answer = await with_toy.post(PATH, body, token(body))
    assert answer.json == {"client": "orchestrated", "allowed": False}
    row = await with_toy.row_of(answer)
    assert (row["plane"], row["tenant_id"], row["verdict"]) == ("mcp", "batch", "blocked")


async def test_a_token_of_another_body_is_refused_and_recorded(with_toy: Planes) -> None:
    answer = await with_toy.post(PATH, b'{"text":"other"}', token(b"{}"))
    assert (answer.status, answer.json["success"]) == (401, False)
    assert (await with_toy.row_of(answer))["reason"] == "unauthenticated"


async def test_a_bug_has_its_row_and_tells_nothing(with_toy: Planes) -> None:
    answer = await with_toy.post(PATH, {"do": "bug"})
    assert (answer.status, answer.json) == (500, {"success": False, "error": "Internal server error"})
    row = await with_toy.row_of(answer)
    assert (row["verdict"], row["reason"], row["client_id"]) == ("error", "internal", CLIENT)


async def test_a_fault_after_the_row_adds_none(with_toy: Planes) -> None:
    answer = await with_toy.post(PATH, {"do": "late fault"})
    assert answer.status == 502
    assert (await with_toy.row_of(answer))["verdict"] == "allowed"


async def trip(planes: Planes, method: str, body: dict[str, Any]) -> None:
    headers = {**planes.headers, "X-User-ID": "ann"}
    answer = await planes.post(f"/api/v1/circuit-breaker/{method}", body, headers)
    assert answer.status in {200, 201}, answer.body


async def test_an_open_circuit_stops_calls_and_no_report(enterprise: Planes) -> None:
    approved = (await enterprise.post("/api/policy/pre-check", {"query": "hello"})).json
    stop = {"scope": "client", "scope_id": CLIENT}
    await trip(enterprise, "trip", {**stop, "reason": "manual", "duration_minutes": 5})
    try:
        checked = await enterprise.post("/api/policy/pre-check", {"query": "hello"})
        decided = await enterprise.post("/api/v1/decide", {"stage": "llm", "query": "hello"})
        report = {"context_id": approved["context_id"], "provider": "openai", "model": "gpt-4o"}
        reported = await enterprise.post("/api/audit/llm-call", report)
    finally:
        await trip(enterprise, "reset", stop)
    assert (checked.status, decided.status, decided.json["verdict"]) == (503, 503, "deny")
    assert int(decided.headers["retry-after"]) > 0
    assert (await enterprise.row_of(checked))["reason"] == "circuit_breaker"
    assert reported.status == 200


async def test_what_was_served_is_on_both_pages_and_no_text_of_a_caller(community: Planes) -> None:
    checked = (await community.post("/api/policy/pre-check", {"query": "PAN ABCPE1234F"})).json
    report = {"context_id": checked["context_id"], "token_usage": {"prompt_tokens": 7}, "model": "m-by-a-caller"}
    assert (await community.post("/api/audit/llm-call", {**report, "provider": "p-by-a-caller"})).status == 200
    await community.post("/api/v1/decide", {"stage": "agent", "query": "hello"})
    await community.post("/api/v1/decide", b"{")
    page = (await community.ask("GET", "/prometheus")).body.decode()
    for line in (
        'axonflow_gateway_precheck_requests_total{approved="false",status="success"}',
        'axonflow_gateway_audit_requests_total{provider="other",status="success"}',
        'axonflow_gateway_llm_tokens_total{model="other",provider="other",type="prompt"} 7.0',
        'axonflow_gateway_llm_cost_usd_total{model="other",provider="other"}',
        'axonflow_gateway_rbi_pii_detected_total{blocked="true",pii_type="pan"}',
        'axonflow_decision_requests_total{stage="agent",verdict="allow"}',
        'axonflow_decision_requests_total{stage="unknown",verdict="error"}',
        'axonflow_agent_requests_total{status="blocked"}',
        "axonflow_agent_policy_evaluations_total",
        'axonflow_decision_duration_milliseconds_bucket{le="1.0"}',
    ):
        assert line in page
    assert "by-a-caller" not in page
    shown = (await community.ask("GET", "/metrics")).json
    assert {"pre_check", "audit_llm_call", "decide"} <= set(shown["request_types"])
    assert shown["agent_metrics"]["blocked_requests"] >= 1


@pytest.mark.parametrize("path", ["/api/policy/pre-check", "/api/v1/decide"])
async def test_pages_of_any_origin_may_call_where_nobody_proves_who_they_are(
    community: Planes, enterprise: Planes, path: str
) -> None:
    asked = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    open_answer = await community.ask("OPTIONS", path, headers=asked)
    closed = await enterprise.ask("OPTIONS", path, headers={**asked, "Authorization": basic("a", "b")})
    assert (open_answer.status, open_answer.headers["access-control-allow-origin"]) == (204, "*")
    assert (closed.status, "access-control-allow-origin" in closed.headers) == (405, False)
    assert (await enterprise.row_of(closed))["reason"] == "wrong_method"
