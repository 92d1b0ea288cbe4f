"""Decision Mode: verdicts for every stage, identity, context, and the span that never delays an answer."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import statistics
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from axonflow_agent.app import create_app
from axonflow_audit import RefusalFold
from axonflow_contracts.recording import InputMode
from axonflow_contracts.verdicts import Action
from axonflow_governance import Governor, PolicySource
from axonflow_governance.recording import OneMode, Recording
from axonflow_policy import PolicyOverride, PolicySet
from axonflow_telemetry import DecisionTracer
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from support.gateway import CLIENT, ORG
from support.planes import Planes, planes
from support.postgres import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/v1/decide"
SSN = "My SSN is 123-45-6789"


async def decide(opened: Planes, query: str = "hello", stage: str = "llm", **more: Any) -> Any:
    answer = await opened.post(PATH, {"stage": stage, "query": query, **more})
    assert answer.status == 200, answer.body
    return answer.json


@pytest.mark.parametrize("stage", ["llm", " Tool ", "AGENT"])
async def test_every_stage_is_decided_on_and_kept(enterprise: Planes, stage: str) -> None:
    target = {"type": "tool", "tool": "search", "other": 1}
    answer = await enterprise.post(PATH, {"stage": stage, "query": "hello", "target": target})
    told, row = answer.json, await enterprise.row_of(answer)
    assert (told["verdict"], told["stage"], told["reasons"]) == ("allow", stage.strip().lower(), [])
    assert (told["obligations"], told["evaluated_policies"]) == ([], [])
    assert datetime.fromisoformat(told["expires_at"]) - row["created_at"] == timedelta(minutes=5)
    assert (row["plane"], row["metadata"]["stage"]) == ("decision", stage.strip().lower())
    assert row["metadata"]["target"] == {"type": "tool", "tool": "search"}
    assert (row["decision_id"], row["trace_id"]) == (told["decision_id"], told["trace_id"])


async def test_a_denial_names_the_policy_that_blocks_first(enterprise: Planes) -> None:
    told = await decide(enterprise, f"{SSN}, mail a@example.com")
    assert (told["verdict"], told["reasons"][0]) == ("deny", "Social Security Number detected")
    assert told["evaluated_policies"][0] == "sys_pii_ssn"
    assert told["obligations"] == []


class Asking:
    """The loaded set, but for one policy, which asks for approval."""

    def __init__(self, policies: PolicySource) -> None:
        self._policies = policies

    def for_tenant(self, org_id: str, tenant_id: str) -> PolicySet | None:
        policy_set = self._policies.for_tenant(org_id, tenant_id)
        asks = PolicyOverride(id="o", action=Action.REQUIRE_APPROVAL)
        return policy_set and policy_set.with_overrides({"sys_pii_ssn": asks})


@pytest.mark.parametrize("approvals_act", [False, True])
async def test_an_approval_is_asked_for_where_somebody_can_give_it(community: Planes, *, approvals_act: bool) -> None:
    agent = community.agent
    governor = Governor(
        policies=Asking(agent.policies),
        audit=agent.audit,
        refusals=RefusalFold(agent.audit.write),
        tracer=DecisionTracer("", service="agent", version="0", metrics=agent.metrics),
        approvals_act=approvals_act,
        recording=Recording(OneMode(InputMode.REDACTED)),
        org_id=ORG,
    )
    opened = Planes(agent, create_app(dataclasses.replace(agent, governor=governor)), {})
    told = await decide(opened, SSN)
    checked = (await opened.post("/api/policy/pre-check", {"query": SSN})).json
    assert (told["evaluated_policies"], checked["policies"]) == (["sys_pii_ssn"], ["sys_pii_ssn"])
    if approvals_act:
        assert (told["verdict"], told["reasons"]) == ("needs_approval", ["require_approval"])
        assert (checked["approved"], checked["block_reason"]) == (False, "require_approval")
    else:
        assert told["verdict"] == "allow"
        assert (checked["approved"], "block_reason" in checked) == (True, False)


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ({"org_id": "other"}, "caller_identity.org_id does not match authenticated identity"),
        ({"tenant_id": "other"}, "caller_identity.tenant_id does not match authenticated identity"),
    ],
)
async def test_an_identity_that_is_not_the_proven_one_is_refused(
    enterprise: Planes, identity: dict[str, str], message: str
) -> None:
    answer = await enterprise.post(PATH, {"stage": "llm", "query": "hi", "caller_identity": identity})
    assert answer.status == 403
    assert answer.json == {
        "error": message,
        "verdict": "deny",
        "decision_id": answer.headers["x-axonflow-decision-id"],
        "trace_id": answer.headers["x-axonflow-trace-id"],
    }
    assert (await enterprise.row_of(answer))["verdict"] == "blocked"
    own = {"org_id": ORG, "tenant_id": CLIENT, "gateway_id": "edge-7"}
    assert (await decide(enterprise, caller_identity=own))["verdict"] == "allow"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"stage":"llm"}', 400),
        (b'{"stage":"model","query":"q"}', 400),
        (b'{"stage":7,"query":"q"}', 400),
        (b'{"stage":"llm","query":"q","user_token":"forged"}', 401),
    ],
)
async def test_every_error_says_deny_and_both_ids(enterprise: Planes, body: bytes, status: int) -> None:
    answer = await enterprise.post(PATH, body)
    told = answer.json
    assert (answer.status, told["verdict"], set(told)) == (
        status, "deny", {"error", "verdict", "decision_id", "trace_id"},
    )  # fmt: skip
    without = await enterprise.post(PATH, body, {"a_b": "1"})
    assert (without.status, set(without.json)) == (400, set(told))


async def test_only_listed_context_is_kept_and_none_of_it_in_clear(enterprise: Planes) -> None:
    context = {"X-AI-Agent": f"bot, {SSN}", "x_session_id": "é" * 200, "secret-plan": "no", "x-leader-identity": 7}
    answer = await enterprise.post(PATH, {"stage": "agent", "query": "hi", "context": context})
    kept = (await enterprise.row_of(answer))["metadata"]["context"]
    assert set(kept) == {"x_ai_agent", "x_session_id", "truncated"}
    assert kept["x_session_id"] == "é" * 128
    assert "123-45" not in kept["x_ai_agent"]


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """An OTLP receiver that keeps what arrives; while ``release`` is unset it hangs."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.release = threading.Event()
        self.release.set()
        self.asked = threading.Event()

    def Export(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the name of the RPC
        self.asked.set()
        self.release.wait(30)
        self.spans += [s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    servicer = Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, f"127.0.0.1:{port}"
    servicer.release.set()
    server.stop(0).wait()


async def test_a_decision_is_one_span_of_the_callers_trace(
    postgres_server: Server, tmp_path: Path, collector: tuple[Collector, str]
) -> None:
    servicer, endpoint = collector
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    with postgres_server.database() as url:
        async with planes(url, tmp_path, "community", AXONFLOW_OTEL_ENDPOINT=endpoint) as opened:
            body = b'{"stage":"tool","query":"My SSN is 123-45-6789","context":{"x-ai-agent":"bot"}}'
            answer = await opened.post(PATH, body, {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"})
            told = answer.json
            checked = await opened.post("/api/policy/pre-check", {"query": "hello"})
            await opened.post("/api/audit/llm-call", {"context_id": "x"})
    spans = {span.trace_id.hex(): span for span in servicer.spans}
    assert told["trace_id"] == trace_id
    assert set(spans) == {trace_id, checked.json["trace_id"]}
    span = spans[trace_id]
    assert (span.name, span.parent_span_id.hex()) == ("axonflow.decision", "b7ad6b7169203331")
    assert {pair.key for pair in span.attributes} == {
        "decision.id", "decision.stage", "decision.verdict", "decision.policy_ids", "decision.latency_ms",
        "decision.reasons", "org.id", "tenant.id", "request.context.x_ai_agent",
    }  # fmt: skip
    strings = {pair.key: pair.value.string_value for pair in span.attributes}
    assert (strings["decision.id"], strings["decision.stage"]) == (told["decision_id"], "tool")
    assert (strings["decision.verdict"], strings["org.id"]) == ("deny", ORG)


async def test_a_hanging_collector_delays_no_decision(
    postgres_server: Server, tmp_path: Path, collector: tuple[Collector, str]
) -> None:
    servicer, endpoint = collector
    servicer.release.clear()
    with postgres_server.database() as url:
        async with (
            planes(url, tmp_path / "with", "community", AXONFLOW_OTEL_ENDPOINT=endpoint) as traced,
            planes(url, tmp_path / "without", "community") as plain,
        ):
            took: dict[str, list[float]] = {"traced": [], "plain": []}
            for _ in range(150):  # one after the other, so that a busy machine slows both
                for name, opened in (("traced", traced), ("plain", plain)):
                    started = time.perf_counter()
                    await decide(opened)
                    took[name].append(time.perf_counter() - started)
            assert servicer.asked.wait(10)
            for name, opened in (("traced", traced), ("plain", plain)) * 20:
                started = time.perf_counter()
                await decide(opened)
                took[name].append(time.perf_counter() - started)
            servicer.release.set()
    assert statistics.median(took["traced"]) < 2 * statistics.median(took["plain"])
    slowest = [statistics.quantiles(took[name], n=20)[-1] for name in ("traced", "plain")]
    assert slowest[0] < 10 * slowest[1]
