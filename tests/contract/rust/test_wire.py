"""What the SDK for Rust sends, byte for byte, and the keys that its models need; the SDK itself where cargo built it.

From its source (0.5.0): names in lower case, a content type on every call, no ``Accept-Encoding``, an old licence
key. Its integers and booleans are strict, and null is no absent key.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from support.gateway import (
    CLIENT,
    CLIENT_SECRET,
    INTERNAL_SECRET,
    JWT_SECRET,
    ORG,
    SSN_TEXT,
    Answer,
    Gateway,
    running_gateway,
)
from support.postgres import Server
from support.processes import running_service
from support.upstream import running_upstream

DRIVER = Path(__file__).resolve().parents[3] / ".tools" / "rust-sdk" / "target" / "debug" / "rust-sdk-driver"
USER_TOKEN = jwt.encode({"user_id": 7, "tenant_id": CLIENT, "exp": 4_102_444_800}, JWT_SECRET, "HS256")


@pytest.fixture(scope="module")
def gateway(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """An agent before an orchestrator, with an allowed and a denied decision on record."""
    directory = tmp_path_factory.mktemp("rust")
    with postgres_server.database() as url, running_upstream() as upstream:
        environ = {
            "DATABASE_URL": url,
            "DEPLOYMENT_MODE": "enterprise",
            "ORG_ID": ORG,
            "AXONFLOW_INTERNAL_SERVICE_SECRET": INTERNAL_SECRET,
            "AUDIT_FALLBACK_PATH": str(directory / "orchestrator.jsonl"),
        }
        with (
            running_service("axonflow_orchestrator", environ, directory / "orchestrator.log") as behind,
            running_gateway(url, upstream, directory, "enterprise", ORCHESTRATOR_URL=behind.url) as opened,
        ):
            assert opened.chat("Say hello.").status == 200
            assert opened.chat(SSN_TEXT).status == 400
            yield opened


def sent(gateway: Gateway, method: str, target: str, body: dict[str, Any] | None = None) -> Answer:
    """One call with the SDK's own head."""
    data = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    head = {
        "content-type": "application/json",
        "user-agent": "axonflow-sdk-rust/0.5.0",
        "x-axonflow-client": "sdk-rust/0.5.0",
        "authorization": "Basic " + base64.b64encode(f"{CLIENT}:{CLIENT_SECRET}".encode()).decode(),
        "x-client-id": CLIENT,
        "x-license-key": "AXON-old-key",
        "accept": "*/*",
        "host": f"127.0.0.1:{gateway.service.port}",
        **({} if body is None else {"content-length": str(len(data))}),
    }
    connection = http.client.HTTPConnection("127.0.0.1", gateway.service.port, timeout=30)
    with contextlib.closing(connection):
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in head.items():
            connection.putheader(name, value)
        connection.endheaders(data or None)
        with connection.getresponse() as answer:
            return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())


def context(gateway: Gateway) -> str:
    body = {"user_token": USER_TOKEN, "client_id": CLIENT, "query": "What is a database?"}
    return str(gateway.post(body, gateway.credentials, "/api/policy/pre-check").json["context_id"])


def report(context_id: str) -> dict[str, Any]:
    """In the order of the SDK's keys, which serde sorts."""
    return {
        "client_id": CLIENT,
        "context_id": context_id,
        "latency_ms": 250,
        "metadata": {},
        "model": "gpt-4o",
        "provider": "openai",
        "response_summary": "A store of rows.",
        "token_usage": {"completion_tokens": 30, "prompt_tokens": 120, "total_tokens": 150},
    }


@pytest.mark.parametrize("target", ["/api/audit/llm-call", "//api/audit/llm-call"])
def test_a_report_is_taken_and_told_as_its_model_reads_it(gateway: Gateway, target: str):
    """The second is what a base URL with a trailing slash makes of it."""
    told = sent(gateway, "POST", target, report(context(gateway)))
    assert 200 <= told.status < 300, told.body
    assert (told.json["success"], type(told.json["audit_id"])) == (True, str)
    assert "content-encoding" not in told.headers
    [row] = gateway.rows("llm_call_audits", told.json["audit_id"])
    assert (row["total_tokens"], row["model"]) == (150, "gpt-4o")


def test_a_list_of_decisions_has_the_keys_that_may_not_be_absent_or_null(gateway: Gateway):
    told = sent(gateway, "GET", "/api/v1/decisions")
    assert told.status == 200, told.body
    assert {each["decision"] for each in told.json["decisions"]} >= {"deny", "allow"}
    for each in told.json["decisions"]:
        assert all(isinstance(each[name], str) for name in ("decision_id", "decision"))
        assert datetime.fromisoformat(each["timestamp"]).tzinfo is not None
        assert isinstance(each.get("policy_id"), str | None)
        assert isinstance(each.get("tool_signature"), str | None)


def test_its_filters_are_read_as_it_writes_them(gateway: Gateway):
    since = "2020-01-01T00%3A00%3A00Z"
    told = sent(gateway, "GET", f"/api/v1/decisions?since={since}&decision=deny&policy_id=sys_pii_ssn&limit=5")
    assert [each["policy_id"] for each in told.json["decisions"]] == ["sys_pii_ssn"]


def test_an_explanation_has_the_keys_that_may_not_be_absent_or_null(gateway: Gateway):
    [denied] = sent(gateway, "GET", "/api/v1/decisions?decision=deny").json["decisions"]
    told = sent(gateway, "GET", f"/api/v1/decisions/{denied['decision_id']}/explain").json
    assert all(isinstance(told[name], str) for name in ("decision_id", "decision", "reason"))
    assert datetime.fromisoformat(told["timestamp"]).tzinfo is not None
    defaulted = {
        "policy_matches": list,
        "matched_rules": list,
        "override_available": bool,
        "historical_hit_count_session": int,
    }
    for name, kind in defaulted.items():
        assert name not in told or type(told[name]) is kind, name
    for name in ("risk_level", "override_existing_id", "policy_source_link", "tool_signature"):
        assert isinstance(told.get(name), str | None), name
    assert [match["policy_id"] for match in told["policy_matches"]] == ["sys_pii_ssn"]


def test_an_id_in_its_own_encoding_is_one_that_nobody_knows(gateway: Gateway):
    assert sent(gateway, "GET", "/api/v1/decisions/wf%2F1%20step/explain").status in {400, 404}


def test_connectors_are_an_object_with_a_list_of_what_its_model_reads(gateway: Gateway):
    told = sent(gateway, "GET", "/api/v1/connectors").json["connectors"]
    words = ("id", "name", "type", "version", "description", "category", "icon")
    kinds = dict.fromkeys(words, str) | {"installed": bool, "tags": list, "capabilities": list, "healthy": bool}
    assert told
    for each in told:
        assert {name for name in ("id", "name", "type", "installed") if name not in each} == set()
        assert {name for name, kind in kinds.items() if name in each and type(each[name]) is not kind} == set()


def test_what_is_not_there_is_final_so_that_a_wrapped_model_is_not_called_ungoverned(gateway: Gateway):
    """The SDK lets calls go on after 5xx and 429 of this path, and reads a 2xx without ``blocked`` as allowed."""
    asked = {"query": SSN_TEXT, "user_token": "anonymous", "request_type": "llm_chat", "context": {}}
    told = sent(gateway, "POST", "/api/request", asked)
    assert 400 <= told.status < 500
    assert told.status != 429


@pytest.fixture(scope="module")
def driver() -> Iterator[subprocess.Popen[str]]:
    if not DRIVER.exists():
        pytest.skip("the driver of the SDK for Rust is missing: `make test-frameworks` builds it where there is cargo")
    env = {"AXONFLOW_TELEMETRY": "off", "HTTPS_PROXY": "http://127.0.0.1:9"}
    with subprocess.Popen((str(DRIVER),), env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        yield running
        running.terminate()


def call(driver: subprocess.Popen[str], gateway: Gateway, method: str, **arguments: str) -> dict[str, Any]:
    job = {"endpoint": gateway.service.url, "client_id": CLIENT, "client_secret": CLIENT_SECRET, "method": method}
    assert driver.stdin is not None
    assert driver.stdout is not None
    driver.stdin.write(json.dumps(job | arguments) + "\n")
    driver.stdin.flush()
    return dict(json.loads(driver.stdout.readline()))


def test_the_sdk_itself_reports_lists_and_explains(gateway: Gateway, driver: subprocess.Popen[str]):
    told = call(driver, gateway, "audit_llm_call", context_id=context(gateway))["value"]
    assert told["success"] is True
    assert len(gateway.rows("llm_call_audits", told["audit_id"])) == 1
    found = call(driver, gateway, "list_decisions")["value"]
    [denied] = sent(gateway, "GET", "/api/v1/decisions?decision=deny").json["decisions"]
    assert denied["decision_id"] in found
    explained = call(driver, gateway, "explain_decision", decision_id=denied["decision_id"])["value"]
    assert "sys_pii_ssn" in explained


def test_the_sdk_shows_a_refusal_as_the_agent_worded_it(gateway: Gateway, driver: subprocess.Popen[str]):
    told = call(driver, gateway, "audit_llm_call", context_id="00000000-0000-4000-8000-000000000000")
    assert "Invalid or expired context" in told["error"]


def test_the_sdk_does_not_take_the_agents_word_for_an_allowance(gateway: Gateway, driver: subprocess.Popen[str]):
    """Its interceptors ask here: an answer that it cannot read must not be one that lets the call go on."""
    told = call(driver, gateway, "proxy_llm_call", query=SSN_TEXT)
    assert "error" in told or told["value"]["blocked"]
