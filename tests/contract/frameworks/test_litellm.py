"""litellm with AxonFlow's logger, as it comes today and as it was beside SDK 8.4, and the rows that it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from support.frameworks import Framework, Record, framework
from support.gateway import CLIENT, CLIENT_SECRET, JWT_SECRET, SSN_TEXT, Gateway
from support.upstream import Upstream

pytestmark = pytest.mark.slow
USER_TOKEN = jwt.encode({"user_id": 7, "tenant_id": CLIENT, "exp": 4_102_444_800}, JWT_SECRET, "HS256")
ASKED, REPORTED = ("gateway", "request", "allowed", CLIENT), ("gateway", "response", "allowed", CLIENT)


@pytest.fixture(scope="module", params=["litellm", "litellm-newest"])
def litellm(
    request: pytest.FixtureRequest, model: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Framework]:
    with framework(request.param, tmp_path_factory.mktemp(request.param), model) as opened:
        yield opened


@pytest.fixture
def record(enterprise: Gateway) -> Record:
    """Rows from here on."""
    opened = Record(enterprise)
    opened.new()
    return opened


def run(litellm: Framework, gateway: Gateway, scenario: str, text: str, **config: Any) -> dict[str, Any]:
    known = {"client_id": CLIENT, "client_secret": CLIENT_SECRET, "call_timeout_seconds": 30.0}
    config = {"endpoint": gateway.service.url, **known, "default_user_token": USER_TOKEN, **config}
    return litellm.run(scenario=scenario, text=text, config=config, headers=gateway.headers, user_token=USER_TOKEN)


@pytest.mark.parametrize("scenario", ["governed", "awaited"])
def test_an_allowed_call_is_asked_for_made_and_reported(
    litellm: Framework, enterprise: Gateway, record: Record, scenario: str
):
    outcome = run(litellm, enterprise, scenario, "What is a database?")
    assert outcome.get("text", outcome) == "Done."
    assert len(litellm.model.received) == 1
    assert record.new() == [ASKED, REPORTED]
    told = enterprise.rows_all("llm_call_audits")[-1]
    assert (told["model"], told["provider"], told["total_tokens"]) == ("openai/gpt-4o-mini", "openai", 17)


@pytest.mark.parametrize("scenario", ["governed", "awaited"])
def test_a_denied_call_is_never_made(litellm: Framework, enterprise: Gateway, record: Record, scenario: str):
    outcome = run(litellm, enterprise, scenario, SSN_TEXT)
    assert (outcome["error"], outcome["message"]) == ("PolicyDeniedError", "Social Security Number detected")
    assert litellm.model.received == []
    assert record.new() == [("gateway", "request", "blocked", CLIENT)]


def test_a_refused_user_stops_the_call_though_it_fails_open(litellm: Framework, enterprise: Gateway, record: Record):
    outcome = run(litellm, enterprise, "governed", "What is a database?", default_user_token="forged", fail_open=True)
    assert outcome["error"] == "PolicyDeniedError"
    assert litellm.model.received == []
    assert [(plane, verdict) for plane, _phase, verdict, _client in record.new()] == [("gateway", "blocked")]


def test_without_the_agent_nothing_is_called_when_it_fails_closed(litellm: Framework, enterprise: Gateway):
    outcome = run(litellm, enterprise, "governed", "hello", endpoint="http://127.0.0.1:9", fail_open=False)
    assert "error" in outcome
    assert litellm.model.received == []


def test_as_a_callback_it_records_what_litellm_did(litellm: Framework, enterprise: Gateway, record: Record):
    outcome = run(litellm, enterprise, "called_back", "What is a database?")
    assert outcome.get("text", outcome) == "Done."
    assert record.new(2) == [ASKED, REPORTED]  # litellm reports from a thread of its own


def test_through_the_agent_a_call_is_judged_on_its_way(litellm: Framework, enterprise: Gateway, record: Record):
    allowed = run(litellm, enterprise, "through_the_agent", "Say hello.")
    assert (allowed.get("text", allowed), allowed["tokens"]) == ("Done.", 17)
    denied = run(litellm, enterprise, "through_the_agent", SSN_TEXT)
    assert "Social Security Number detected" in denied["message"]
    assert "BadRequestError" in denied["kinds"]
    assert [(plane, verdict) for plane, _phase, verdict, _client in record.new()] == [
        ("openai_compat", "allowed"),
        ("openai_compat", "blocked"),
    ]


def test_the_readmes_calls_run_as_written(litellm: Framework, community: Gateway):
    record = Record(community)
    record.new()
    assert litellm.run_readme(community, "litellm") == "Done.\nSocial Security Number detected\n"
    assert [(plane, verdict) for plane, _phase, verdict, _client in record.new()] == [
        ("gateway", "allowed"),
        ("gateway", "allowed"),
        ("gateway", "blocked"),
    ]


def test_nothing_was_looked_for_outside_this_machine(litellm: Framework):
    assert litellm.outside == []
