"""The governed gateway as a client of the compose stack meets it."""

from __future__ import annotations

import json
import re

import pytest
from support.compose_stack import SERVICES, ComposeStack, request, until

SSN = "My number is 536-22-8671, please file it."


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_healthy_to_its_client_and_to_the_engine(stack: ComposeStack, service: str) -> None:
    assert request("GET", f"{getattr(stack, SERVICES[service])}/health").status == 200
    until(lambda: stack.inspect(service)["State"]["Health"]["Status"] == "healthy")


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_runs_without_privileges_on_a_read_only_root(stack: ComposeStack, service: str) -> None:
    tried = stack.run(
        "exec", "-T", service, "sh", "-c", "id -u; touch /opt/axonflow/x || touch /var/lib/axonflow/audit/x"
    )
    assert tried.stdout.strip() == "10001"
    assert "Read-only file system" in tried.stderr
    assert tried.returncode == 0
    assert stack.run("exec", "-T", service, "rm", "/var/lib/axonflow/audit/x").returncode == 0


def test_an_allowed_call_reaches_the_upstream_byte_for_byte_and_comes_back_unchanged(stack: ComposeStack) -> None:
    reply = stack.chat("What is two and two?", temperature=0.5)
    assert reply.status == 200
    assert reply.json()["choices"][0]["message"]["content"] == "Four."
    sent = stack.received()[-1]
    assert sent["path"] == "/v1/chat/completions"
    assert json.loads(sent["body"])["temperature"] == 0.5
    assert sent["headers"]["authorization"] == "Bearer sk-compose-test"
    assert "x-provider-key" not in sent["headers"]
    assert re.fullmatch(r"[0-9a-f-]{36}", reply.headers["x-axonflow-decision-id"])
    assert re.fullmatch(r"[0-9a-f]{32}", reply.headers["x-axonflow-trace-id"])


def test_a_social_security_number_is_denied_and_never_leaves(stack: ComposeStack) -> None:
    before = len(stack.received())
    reply = stack.chat(SSN)
    assert reply.status == 400
    assert reply.json() == {
        "error": {
            "message": "Request blocked by policy: Social Security Number detected",
            "type": "policy_violation",
            "param": None,
            "code": "policy_denied",
        }
    }
    assert len(stack.received()) == before


def test_streaming_is_refused_by_name(stack: ComposeStack) -> None:
    reply = stack.chat("Hello", stream=True)
    assert (reply.status, reply.json()["error"]["code"]) == (400, "stream_not_supported")


def test_a_call_without_a_provider_key_is_refused_by_name(stack: ComposeStack) -> None:
    reply = stack.chat("Hello", headers={})
    assert (reply.status, reply.json()["error"]["code"]) == (400, "missing_provider_key")


def test_each_answer_has_exactly_one_row_in_the_database(stack: ComposeStack) -> None:
    for reply, decision, verdict in ((stack.chat("Hello"), "allow", "allowed"), (stack.chat(SSN), "deny", "blocked")):
        decision_id = reply.headers["x-axonflow-decision-id"]
        called = stack.query("SELECT decision FROM llm_call_audits WHERE id::text = %s", decision_id)
        assert called == [(decision,)]
        judged = stack.query("SELECT verdict FROM audit_logs WHERE decision_id::text = %s", decision_id)
        assert judged == [(verdict,)]


def test_the_portal_lists_the_agents_policies_without_a_secret_in_the_environment(stack: ComposeStack) -> None:
    listed = request("GET", f"{stack.portal_url}/api/v1/portal/policies").json()
    assert listed["source_errors"] == []
    assert "sys_pii_ssn" in {policy["policy_id"] for policy in listed["policies"]}
    page = request("GET", f"{stack.portal_url}/policies")
    assert page.status == 200
    assert "sys_pii_ssn" in page.body.decode()
