"""What the compose stack survives: a killed process, the way down and up, a database that goes away."""

from __future__ import annotations

import os
import signal

import pytest
from support.compose_stack import SERVICES, ComposeStack, request, until


@pytest.mark.skipif(os.geteuid() != 0, reason="killing a container's process from outside needs root")
@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_service_is_started_again_by_the_engine(stack: ComposeStack, service: str) -> None:
    before = stack.inspect(service)
    os.kill(before["State"]["Pid"], signal.SIGKILL)
    until(lambda: stack.inspect(service)["RestartCount"] > before["RestartCount"])
    stack.await_health()
    assert stack.inspect(service)["Id"] == before["Id"]


def test_down_and_up_keep_the_rows_and_the_generated_secret(stack: ComposeStack) -> None:
    decision_id = stack.chat("Keep this one.").headers["x-axonflow-decision-id"]
    kept = "SELECT count(*) FROM llm_call_audits WHERE id::text = %s"
    secret = stack.query("SELECT * FROM deployment_secrets")
    assert stack.query(kept, decision_id) == [(1,)]
    assert stack.run("down").returncode == 0
    assert stack.run("up", "--detach").returncode == 0
    stack.await_health()
    assert stack.query(kept, decision_id) == [(1,)]
    assert stack.query("SELECT * FROM deployment_secrets") == secret
    assert request("GET", f"{stack.portal_url}/api/v1/portal/policies").json()["source_errors"] == []


def test_rows_written_while_the_database_is_away_arrive_once_when_it_is_back(stack: ComposeStack) -> None:
    assert stack.run("stop", "postgres").returncode == 0
    replies = [stack.chat(f"Question {number}") for number in range(5)]
    assert [reply.status for reply in replies] == [200] * 5
    assert stack.run("start", "postgres").returncode == 0
    answered = sorted(reply.headers["x-axonflow-decision-id"] for reply in replies)
    rows = "SELECT id::text FROM llm_call_audits WHERE id::text = ANY(%s) ORDER BY 1"
    until(lambda: request("GET", f"{stack.agent_url}/ready").status == 200)
    until(lambda: len(stack.query(rows, answered)) >= len(answered))
    assert [row[0] for row in stack.query(rows, answered)] == answered
