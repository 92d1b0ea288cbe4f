"""What the compose stack survives: a killed process, the way down and up, a database that goes away."""

from __future__ import annotations

import os
import signal

import pytest
from support.compose_stack import SERVICES, ComposeStack, request, until

kills_from_outside = pytest.mark.skipif(
    os.geteuid() != 0, reason="killing a container's process from outside needs root"
)
ROWS = "SELECT id::text FROM llm_call_audits WHERE id::text = ANY(%s) ORDER BY 1"


@kills_from_outside
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


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_stops_by_itself_when_told_to(stack: ComposeStack, service: str) -> None:
    assert stack.run("stop", service).returncode == 0
    assert stack.inspect(service)["State"]["ExitCode"] == 0
    assert stack.run("start", service).returncode == 0
    stack.await_health()


def _answered_without_a_database(stack: ComposeStack) -> list[str]:
    """Stop PostgreSQL and make calls; their decision ids, in the order that ROWS gives."""
    assert stack.run("stop", "postgres").returncode == 0
    replies = [stack.chat(f"Question {number}") for number in range(5)]
    assert [reply.status for reply in replies] == [200] * 5
    return sorted(reply.headers["x-axonflow-decision-id"] for reply in replies)


def test_rows_of_calls_without_a_database_arrive_once_when_it_is_back(stack: ComposeStack) -> None:
    answered = _answered_without_a_database(stack)
    assert stack.run("start", "postgres").returncode == 0
    until(lambda: stack.database_answers)
    until(lambda: len(stack.query(ROWS, answered)) >= len(answered))
    assert [row[0] for row in stack.query(ROWS, answered)] == answered


@kills_from_outside
def test_rows_that_wait_on_the_volume_outlive_the_process_that_wrote_them(stack: ComposeStack) -> None:
    answered = _answered_without_a_database(stack)
    os.kill(stack.inspect("axonflow-agent")["State"]["Pid"], signal.SIGKILL)
    assert stack.run("start", "postgres").returncode == 0
    stack.await_health()
    until(lambda: stack.database_answers)
    until(lambda: len(stack.query(ROWS, answered)) >= len(answered))
    assert [row[0] for row in stack.query(ROWS, answered)] == answered
