"""CrewAI with its model behind the agent, and the rows that it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.frameworks import Framework, Record, framework
from support.gateway import CLIENT, SSN_TEXT, Gateway
from support.upstream import Upstream

pytestmark = pytest.mark.slow
ALLOWED, BLOCKED = ("openai_compat", "request", "allowed", CLIENT), ("openai_compat", "request", "blocked", CLIENT)


@pytest.fixture(scope="module")
def crewai(model: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Framework]:
    with framework("crewai", tmp_path_factory.mktemp("crewai"), model) as opened:
        yield opened


@pytest.fixture
def record(enterprise: Gateway) -> Record:
    """Rows from here on."""
    opened = Record(enterprise)
    opened.new()
    return opened


def run(crewai: Framework, gateway: Gateway, scenario: str, text: str) -> dict[str, Any]:
    return crewai.run(scenario=scenario, text=text, endpoint=gateway.service.url, headers=gateway.headers)


@pytest.mark.parametrize("scenario", ["alone", "crew"])
def test_a_denied_task_ends_with_the_reason_and_the_provider_hears_nothing(
    crewai: Framework, enterprise: Gateway, record: Record, scenario: str
):
    outcome = run(crewai, enterprise, scenario, SSN_TEXT)
    assert "Social Security Number detected" in outcome["message"]
    assert crewai.model.received == []
    assert set(record.new()) == {BLOCKED}  # it tries again, and each try is a call


def test_an_agent_is_answered_and_its_row_is_there(crewai: Framework, enterprise: Gateway, record: Record):
    outcome = run(crewai, enterprise, "alone", "Say hello.")
    assert outcome.get("text", outcome) == "Done."
    assert record.new() == [ALLOWED]


def test_a_crew_calls_its_tool_and_every_model_call_has_a_row(crewai: Framework, enterprise: Gateway, record: Record):
    outcome = run(crewai, enterprise, "crew", "Which claims has person=Bob; ?")
    assert (outcome.get("text", outcome), outcome["tools"]) == ("Done.", ["Bob"])
    assert record.new() == [ALLOWED] * len(crewai.model.received)
    assert len(crewai.model.received) == 2


def test_the_readmes_agent_runs_as_written(crewai: Framework, community: Gateway):
    assert "Done." in crewai.run_readme(community, "crewai").splitlines()  # after boxes for people
    assert [(row["plane"], row["verdict"]) for row in community.rows_all("audit_logs")] == [
        ("openai_compat", "allowed")
    ]


def test_nothing_was_looked_for_outside_this_machine(crewai: Framework):
    assert crewai.outside == []
