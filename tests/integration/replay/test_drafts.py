"""Drafts over recorded traffic: what would turn, of how many, exactly and nearly, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from axonflow_contracts.verdicts import Action
from axonflow_governance.inputs import InputSealer
from axonflow_orchestrator.callers import readable_by
from axonflow_orchestrator.drafts.bodies import DraftBody, DraftPolicy
from axonflow_orchestrator.drafts.service import DraftRunner
from support.postgres import Server
from support.record import RIVAL
from support.replays import Pair, pair

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/v1/decisions/drafts"
SSN = "My SSN is 123-45-6789"
NIGHT = {"name": "Nightingale", "pattern": r"\bnightingale-[0-9]+\b", "action": "block"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """Traffic: three allowed calls, one blocked, one kept redacted and one not kept at all."""
    with postgres_server.database() as url:
        async with pair(url, tmp_path_factory.mktemp("drafts")) as opened:
            for text in ("about nightingale-7", f"nightingale-8 {'pad ' * 500}", SSN):
                await opened.decide(text)
            await opened.set_mode("redacted")
            await opened.decide("again nightingale-9")
            await opened.decide(f"{SSN} once more")
            await opened.set_mode("off")
            await opened.decide("nightingale-10 unseen")
            await opened.set_mode("sealed")
            yield opened


async def run(both: Pair, **body: Any) -> Any:
    reply = await both.record.ask("POST", PATH, body, caller=both.caller)
    assert reply.status == 200, reply.body
    return reply.json


async def test_a_new_policy_turns_what_it_finds_and_says_how_much_it_saw(both: Pair) -> None:
    told = await run(both, policies=[NIGHT])
    assert [(flip["from"], flip["to"], flip["exact"]) for flip in told["flips"]] == [
        ("allowed", "blocked", False),
        ("allowed", "blocked", True),
        ("allowed", "blocked", True),
    ]
    assert {flip["policy_id"] for flip in told["flips"]} == {"draft_1"}
    assert not any(flip["plane_judges"] for flip in told["flips"])  # decide judges by the product's policies
    # The first call of the pair is traffic too.
    assert told["coverage"] == {
        "decisions": 7,
        "judged": 6,
        "exact": 4,
        "approximate": 2,
        "not_judged": 1,
        "text": "6 of 7",
    }
    assert (told["complete"], told["flip_count"], told["notes"]) == (True, 3, [])
    assert (await run(both, policies=[NIGHT], only_where_judged=True))["flips"] == []


async def test_another_action_of_a_system_policy_needs_no_text(both: Pair) -> None:
    told = await run(both, policies=[{"policy_id": "sys_pii_ssn", "action": "warn"}])
    assert [(flip["from"], flip["to"], flip["exact"]) for flip in told["flips"]] == [
        ("blocked", "allowed", False),
        ("blocked", "allowed", True),
    ]
    assert all(flip["plane_judges"] for flip in told["flips"])
    assert told["coverage"]["text"] == "7 of 7"
    off = await run(both, policies=[{"policy_id": "sys_pii_ssn", "enabled": False}])
    assert [flip["to"] for flip in off["flips"]] == ["allowed", "allowed"]


async def test_a_rule_with_conditions_is_held_against_the_same_traffic(both: Pair) -> None:
    rule = {
        "id": "r1",
        "name": "No nightingales",
        "conditions": [{"field": "query", "operator": "contains", "value": "nightingale-8"}],
        "actions": [{"type": "block"}],
    }
    told = await run(both, rules=[rule])
    assert [(flip["to"], flip["policy_id"]) for flip in told["flips"]] == [("blocked", "r1")]


async def test_pages_follow_each_other_and_count_the_whole_run(both: Pair) -> None:
    seen: list[str] = []
    body: dict[str, Any] = {"policies": [NIGHT], "limit": 1}
    while True:
        told = await run(both, **body)
        seen += [flip["decision_id"] for flip in told["flips"]]
        assert told["flip_count"] == len(seen)
        if told["complete"]:
            break
        body["cursor"] = told["next_cursor"]
    assert len(seen) == len(set(seen)) == 3
    assert told["coverage"]["text"] == "6 of 7"
    other = await both.record.ask(
        "POST", PATH, {"policies": [{**NIGHT, "action": "warn"}], "cursor": body["cursor"]}, caller=both.caller
    )
    assert (other.status, "another draft" in other.json["error"]) == (400, True)


async def test_a_page_that_takes_too_long_goes_on_with_the_next(both: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axonflow_orchestrator.drafts.service.ROWS_AT_ONCE", 2)
    orchestrator = both.record.orchestrator
    runner = DraftRunner(orchestrator.database, InputSealer(orchestrator.sealer), orchestrator.sets)
    readable = readable_by(both.caller, orchestrator.settings)
    body = DraftBody(policies=(DraftPolicy(name="x", pattern="nightingale", action=Action.BLOCK),))
    report = await runner.run(body, readable, both.caller.tenant_id, page_s=0)
    assert (report.complete, report.coverage.judged + report.coverage.not_judged) == (False, 2)
    assert report.coverage.decisions == 7


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "a draft changes something"),
        ({"policies": [{**NIGHT, "pattern": "(?=x)"}]}, "Invalid regex pattern"),
        ({"policies": [{**NIGHT, "pattern": ".*"}]}, "Invalid regex pattern"),
        ({"policies": [{**NIGHT, "action": "explode"}]}, "action"),
        ({"policies": [{"policy_id": "sys_pii_ssn", "pattern": "x"}]}, "action and enabled"),
        ({"policies": [{"policy_id": "nobody", "action": "warn"}]}, "there is no policy nobody"),
        ({"policies": [NIGHT], "days": 91}, "days must be from 1 to 90"),
        ({"policies": [NIGHT], "cursor": "x"}, "cursor"),
        ({"rules": [{"id": "r", "name": "n", "conditions": [{"field": "no", "operator": "equals"}]}]}, "rules: r"),
    ],
)
async def test_what_cannot_be_drafted_is_refused_with_the_reason(
    both: Pair, body: dict[str, Any], complaint: str
) -> None:
    reply = await both.record.ask("POST", PATH, body, caller=both.caller)
    assert (reply.status, complaint in reply.json["error"]) == (400, True), reply.body


async def test_another_organisation_has_none_of_this_traffic(both: Pair) -> None:
    reply = await both.record.ask("POST", PATH, {"policies": [NIGHT]}, caller=RIVAL)
    assert reply.json["coverage"]["text"] == "0 of 0"
