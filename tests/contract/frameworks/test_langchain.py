"""LangChain and LangGraph in front of the agent and beside it, and the rows that they leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from support.frameworks import Framework, Record, framework
from support.gateway import CLIENT, CLIENT_SECRET, JWT_SECRET, Gateway
from support.upstream import Upstream

SSN, PHONE = "123-45-6789", "212-555-0147"
WAYS = ["message", "tool_loop"]
USER_TOKEN = jwt.encode({"user_id": 7, "tenant_id": CLIENT, "exp": 4_102_444_800}, JWT_SECRET, "HS256")


@pytest.fixture(scope="module")
def langchain(model: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Framework]:
    with framework("langchain", tmp_path_factory.mktemp("langchain"), model, "ready-tests") as opened:
        yield opened


@pytest.fixture
def record(enterprise: Gateway) -> Record:
    """Rows from here on."""
    opened = Record(enterprise)
    opened.new()
    return opened


def run(langchain: Framework, gateway: Gateway, scenario: str, text: str) -> dict[str, Any]:
    client = {"endpoint": gateway.service.url, "client_id": CLIENT, "client_secret": CLIENT_SECRET}
    job = {"endpoint": gateway.service.url, "headers": gateway.headers, "client": client, "user_token": USER_TOKEN}
    return langchain.run(scenario=scenario, text=text, **job)


def test_a_chat_model_is_answered_and_its_row_is_there(langchain: Framework, enterprise: Gateway, record: Record):
    assert run(langchain, enterprise, "message", "Say hello.")["tokens"] == 17
    assert record.new() == [("openai_compat", "request", "allowed", CLIENT)]


@pytest.mark.parametrize("way", WAYS)
def test_a_denied_prompt_is_an_error_that_names_the_reason(
    langchain: Framework, enterprise: Gateway, record: Record, way: str
):
    outcome = run(langchain, enterprise, way, f"File it for person={SSN}; please.")
    assert ("BadRequestError" in outcome["kinds"], outcome["code"]) == (True, "policy_denied")
    assert "Request blocked by policy: Social Security Number detected" in outcome["message"]
    assert langchain.model.received == []
    assert record.new() == [("openai_compat", "request", "blocked", CLIENT)]


def test_a_graph_calls_its_tool_and_every_model_call_has_a_row(
    langchain: Framework, enterprise: Gateway, record: Record
):
    outcome = run(langchain, enterprise, "tool_loop", "Which claims has person=Bob; ?")
    assert (outcome.get("text", outcome), outcome["tools"]) == ("Done.", ["Bob"])
    assert [len(json.loads(each.body)["messages"]) for each in langchain.model.received] == [1, 3]
    assert record.new() == [("openai_compat", "request", "allowed", CLIENT)] * 2


def test_personal_data_in_a_tools_arguments_is_judged_when_it_comes_back_in(
    langchain: Framework, enterprise: Gateway, record: Record, monkeypatch: pytest.MonkeyPatch
):
    """The number comes from the model, not from the user: the next call carries it in ``tool_calls[].arguments``."""

    def invents(handler: Any) -> None:
        handler.received = type(handler.received)(
            handler.received.method,
            handler.received.path,
            handler.received.headers,
            handler.received.body.replace(b"person=X", b"person=" + SSN.encode()),
        )
        answer(handler)

    answer = langchain.model.respond
    monkeypatch.setattr(langchain.model, "respond", invents)
    outcome = run(langchain, enterprise, "tool_loop", "Which claims has person=X; ?")
    assert (outcome["code"], outcome["tools"]) == ("policy_denied", [SSN])
    assert len(langchain.model.received) == 1
    assert [verdict for _plane, _phase, verdict, _client in record.new()] == ["allowed", "blocked"]


def test_gateway_mode_asks_before_a_nodes_model_call_and_reports_it_after(
    langchain: Framework, enterprise: Gateway, record: Record
):
    outcome = run(langchain, enterprise, "gateway_mode", "What is a database?")
    assert outcome["text"] == "Done."
    assert [each.path for each in langchain.model.received] == ["/v1/chat/completions"]
    assert record.new() == [("gateway", "request", "allowed", CLIENT), ("gateway", "response", "allowed", CLIENT)]
    [told] = [row for row in enterprise.rows_all("llm_call_audits") if row["context_id"]]
    assert (told["provider"], told["model"], told["total_tokens"]) == ("openai", "gpt-4o-mini", 17)


def test_gateway_mode_stops_a_node_before_its_model_is_called(
    langchain: Framework, enterprise: Gateway, record: Record
):
    outcome = run(langchain, enterprise, "gateway_mode", f"My SSN is {SSN}.")
    assert (outcome["error"], outcome["message"]) == ("PolicyViolationError", "Social Security Number detected")
    assert langchain.model.received == []
    assert record.new() == [("gateway", "request", "blocked", CLIENT)]


def test_a_governed_tool_does_not_run_on_personal_data(langchain: Framework, enterprise: Gateway, record: Record):
    outcome = run(langchain, enterprise, "governed_tools", f"Which claims has person={SSN}; ?")
    assert (outcome["message"], outcome["tools"]) == ("Social Security Number detected", [])
    assert outcome["error"] == "PolicyViolationError"
    assert record.new() == [("mcp", "request", "blocked", CLIENT)]


def test_a_governed_tools_answer_is_masked(langchain: Framework, enterprise: Gateway, record: Record):
    outcome = run(langchain, enterprise, "governed_tool", "Ann")
    assert outcome["tools"] == ["Ann"]
    assert outcome["text"].startswith("One open claim, call back at ")
    assert PHONE not in outcome["text"]
    assert record.new() == [("mcp", "request", "allowed", CLIENT), ("mcp", "response", "redacted", CLIENT)]


def test_a_graph_never_shows_its_model_what_was_to_be_masked(langchain: Framework, enterprise: Gateway, record: Record):
    """The SDK gives LangGraph masked text where a message is due, and LangGraph stops at that."""
    outcome = run(langchain, enterprise, "governed_tools", "Which claims has person=Ann; ?")
    assert outcome["tools"] == ["Ann"]
    assert PHONE not in str(outcome) + str([each.body for each in langchain.model.received])
    assert record.new() == [("mcp", "request", "allowed", CLIENT), ("mcp", "response", "redacted", CLIENT)]


@pytest.mark.parametrize(
    ("statement", "verdict", "word"),
    [(f"SELECT '{SSN}'", "blocked", "Social Security"), ("SELECT 1", "allowed", "true")],
)
def test_a_graph_can_ask_the_agents_own_mcp_server(
    langchain: Framework, record: Record, statement: str, verdict: str, word: str
):
    outcome = run(langchain, record.gateway, "checks_as_tools", statement)
    assert word in outcome.get("text", outcome)
    assert {"check_policy", "check_output"} <= set(outcome["names"])
    assert ("mcp", "request", verdict, CLIENT) in record.new()


def test_the_readmes_graph_runs_as_written(langchain: Framework, community: Gateway):
    assert langchain.run_readme(community, "langgraph") == "Done.\n"
    verdicts = [(row["plane"], row["verdict"]) for row in community.rows_all("audit_logs")]
    assert verdicts == [("gateway", "allowed"), ("gateway", "allowed")]


def test_nothing_was_looked_for_outside_this_machine(langchain: Framework):
    assert langchain.outside == []
