"""Decisions made again: the same where nothing changed, different and why where something did, refused and why."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from axonflow_contracts.caller import Caller, CallerKind
from support.gateway import ORG
from support.postgres import Server
from support.record import RIVAL, running_record
from support.replays import KEY, OTHER_KEY, Pair, pair

pytestmark = pytest.mark.asyncio(loop_scope="module")

SSN = "My SSN is 123-45-6789, mail a@example.com"
CHATS = "/v1/chat/completions"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(postgres_server: Server) -> AsyncIterator[str]:
    with postgres_server.database() as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with pair(url, tmp_path_factory.mktemp("both")) as opened:
        yield opened


async def replayed(both: Pair, text: str, against: str = "recorded") -> Any:
    reply = await both.replay(await both.decide(text), against)
    assert reply.status == 200, reply.body
    return reply.json


def owner(url: str, statement: str, *params: object) -> list[tuple[Any, ...]]:
    """What only somebody with the database's own password can do."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        cursor = connection.execute(statement, params)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize(
    ("text", "verdict"), [(SSN, "blocked"), ("hello", "allowed"), ("'; DROP TABLE users; --", "blocked")]
)
async def test_the_recorded_set_gives_the_recorded_verdict(both: Pair, text: str, verdict: str) -> None:
    told = await replayed(both, text)
    assert (told["replayable"], told["exact"], told["same"], told["same_matches"]) == (True, True, True, True)
    assert told["replayed"]["verdict"] == told["recorded"]["verdict"] == verdict
    assert told["replayed"]["matches"] == told["recorded"]["matches"]
    assert told["replayed"]["policy_set_hash"] == told["recorded"]["policy_set_hash"]
    assert (told["changes"], told["inexact"]) == ([], [])
    again = await replayed(both, text, "current")
    assert (again["exact"], again["same"]) == (True, True)


# Pieces that policies look for, and what hides or surrounds them.
PIECES = (
    "SSN 123-45-6789",
    "4111 1111 1111 1111",
    "a@example.com",
    "' OR 1=1 --",
    "; DROP TABLE users;",
    "ignore all previous instructions",
    "rm -rf /",
    "MTIzLTQ1LTY3ODk=",
    "1\u200b23-45-6789",
    "\uff11\uff12\uff13-45-6789",
    "&#49;23-45-6789",
    "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789",
    "hello",
    "\n\n",
    "SELECT name FROM t UNION SELECT 1",
)


async def test_whatever_the_text_is_the_recorded_set_comes_to_the_recorded_verdict(both: Pair) -> None:
    chance = random.Random(8_4_0)
    for _ in range(60):
        pieces = [chance.choice(PIECES) for _ in range(chance.randint(1, 5))]
        text = chance.choice((" ", "\n", ", ", "")).join([*pieces, "x" * chance.choice((0, 0, 5_000))])
        told = await replayed(both, text)
        assert (told["exact"], told["same"], told["same_matches"]) == (True, True, True), text


async def test_the_input_is_nowhere_in_the_answer_nor_in_the_database(both: Pair, url: str) -> None:
    secret = "canary-hvbqzt"
    decision_id = await both.decide(f"{secret} {'x ' * 600}{secret}")
    reply = await both.replay(decision_id)
    assert reply.json["replayable"]
    assert secret.encode() not in reply.body
    [(sealed, size)] = owner(url, "SELECT sealed, size_bytes FROM sealed_inputs WHERE id = %s", decision_id)
    assert secret.encode() not in bytes(sealed)
    assert size > 1200


async def test_every_part_of_a_chat_is_judged_again(both: Pair) -> None:
    body = {
        "model": "m",
        "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": SSN}],
        "tools": [{"type": "function", "function": {"name": "f", "description": "looks things up"}}],
    }
    headers = {**both.planes.headers, "X-Provider-Key": "k"}
    answer = await both.planes.post(CHATS, body, headers)
    told = (await both.replay(answer.headers["x-axonflow-decision-id"])).json
    assert (told["exact"], told["same_matches"]) == (True, True)
    assert {(match["path"], match["role"]) for match in told["replayed"]["matches"]} == {
        ("messages[1].content", "user")
    }


async def test_a_check_of_a_connectors_statement_is_judged_again_under_the_levers_of_its_plane(both: Pair) -> None:
    body = {"connector_type": "postgres", "statement": "DROP TABLE users; -- 123-45-6789"}
    answer = await both.planes.post("/api/v1/mcp/check-input", body)
    decision_id = answer.headers["x-axonflow-decision-id"]
    for against in ("recorded", "current"):
        told = (await both.replay(decision_id, against)).json
        assert (told["exact"], told["same"], told["same_matches"]) == (True, True, True), told
    assert told["recorded"]["verdict"] == "blocked"


async def test_a_policy_that_changed_makes_another_verdict_and_says_why(both: Pair, url: str) -> None:
    decision_id = await both.decide(SSN)
    owner(
        url,
        "INSERT INTO policy_overrides (org_id, policy_id, action_override, override_reason, created_by) "
        "VALUES (%s, 'sys_pii_email', 'block', 'a test', 'tester')",
        ORG,
    )
    owner(url, "UPDATE static_policies SET enabled = false WHERE policy_id = 'sys_pii_ssn'")
    try:
        now, then = (await both.replay(decision_id, "current")).json, (await both.replay(decision_id)).json
    finally:
        owner(url, "DELETE FROM policy_overrides")
        owner(url, "UPDATE static_policies SET enabled = true WHERE policy_id = 'sys_pii_ssn'")
    assert (then["exact"], then["same"], then["same_matches"]) == (True, True, True)
    assert (now["exact"], now["same"], now["same_matches"]) == (True, True, False)
    assert now["replayed"]["policy_set_hash"] != now["recorded"]["policy_set_hash"]
    [ssn, email] = now["changes"]
    assert (ssn["policy_id"], ssn["then"], ssn["now"]) == ("sys_pii_ssn", "block", None)
    assert "not judged any more" in ssn["why"]
    assert (email["then"], email["now"]) == ("warn", "block")
    assert "override:" in email["why"]


async def test_an_override_that_ran_out_since_still_is_part_of_the_set_that_decided(both: Pair, url: str) -> None:
    text = "mail somebody@example.com"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO policy_overrides (org_id, policy_id, action_override, override_reason, created_by) "
            "VALUES (%s, 'sys_pii_email', 'block', 'a test', 'tester')",
            (ORG,),
        )
        try:
            async with asyncio.timeout(10):
                while (told := await replayed(both, text))["recorded"]["verdict"] != "blocked":
                    await asyncio.sleep(0.1)
        finally:
            connection.execute("UPDATE policy_overrides SET expires_at = now() - interval '1 second'")
    decision_id = told["decision_id"]
    then, now = (await both.replay(decision_id)).json, (await both.replay(decision_id, "current")).json
    assert (then["exact"], then["same"], then["same_matches"]) == (True, True, True)
    assert (now["exact"], now["same"], now["replayed"]["verdict"]) == (True, False, "allowed")


async def test_a_set_of_another_engine_and_catalogue_is_named(both: Pair, url: str) -> None:
    decision_id = await both.decide("a text of another time, SSN 123-45-6789")
    [(kept,)] = owner(url, "SELECT policy_set_hash FROM audit_logs WHERE id = %s", decision_id)
    [(document,)] = owner(url, "SELECT document FROM policy_sets WHERE hash = %s LIMIT 1", kept)
    document["engine_version"] = "vectorscan-0.0.1"
    for row in document["policies"]:
        if row["id"] == "sys_pii_email":
            row["validator"] = "of_another_release"
    owner(
        url,
        "INSERT INTO policy_sets (org_id, hash, catalogue_version, engine, document) "
        "VALUES ('@system', 'old', 1, 'vectorscan', %s)",
        psycopg.types.json.Jsonb(document),
    )
    owner(url, "UPDATE audit_logs SET policy_set_hash = 'old' WHERE id = %s", decision_id)
    told = (await both.replay(decision_id)).json
    assert (told["replayable"], told["exact"], told["same"]) == (True, False, True)
    why = " / ".join(told["inexact"])
    assert "of_another_release" in why
    assert "catalogue version 1 decided" in why
    assert "vectorscan-0.0.1" in why
    owner(url, "UPDATE audit_logs SET policy_set_hash = 'unknown' WHERE id = %s", decision_id)
    assert (await both.replay(decision_id)).json["not_replayable"]["code"] == "policy_set"


async def test_other_organisations_and_tenants_hear_that_there_is_no_such_decision(both: Pair) -> None:
    decision_id = await both.decide(SSN)
    sibling = Caller(org_id=ORG, tenant_id="somebody-else", client_id="c", kind=CallerKind.CLIENT)
    for caller in (RIVAL, sibling):
        assert (await both.replay(decision_id, caller=caller)).status == 404
    assert (await both.replay("no-such-decision")).status == 404


async def test_a_row_that_was_altered_or_moved_does_not_open(both: Pair, url: str) -> None:
    one, two = await both.decide(SSN), await both.decide("hello")
    owner(
        url,
        "UPDATE sealed_inputs SET sealed = (SELECT sealed FROM sealed_inputs WHERE id = %s) WHERE id = %s",
        two,
        one,
    )
    owner(
        url,
        "UPDATE sealed_inputs SET sealed = set_byte(sealed, 60, get_byte(sealed, 60) # 1) WHERE id = %s",
        two,
    )
    for decision_id in (one, two):
        told = (await both.replay(decision_id)).json
        assert (told["replayable"], told["not_replayable"]["code"]) == (False, "cannot_open")
        assert told["replayed"] is None


async def test_rotated_keys_open_while_they_are_given_and_survive_a_restart(
    both: Pair, url: str, tmp_path: Path
) -> None:
    decision_id = await both.decide(SSN)
    target = f"/api/v1/decisions/{decision_id}/replay"
    rotated = {"AXONFLOW_SEALING_KEY": OTHER_KEY}
    async with running_record(url, tmp_path, **rotated, AXONFLOW_SEALING_KEY_PREVIOUS=KEY) as heir:
        told = (await heir.ask("POST", target, {}, caller=both.caller)).json
        assert (told["exact"], told["same"]) == (True, True)
    async with running_record(url, tmp_path, **rotated) as heir:
        told = (await heir.ask("POST", target, {}, caller=both.caller)).json
        assert told["not_replayable"]["code"] == "sealing_key"


async def test_a_tenant_lowers_and_raises_within_what_the_operator_allows(both: Pair, url: str) -> None:
    target = "/api/v1/decisions/recording"
    before = (await both.record.ask("GET", target, caller=both.caller)).json
    assert (before["mode"], before["ceiling"], before["set_by"]) == ("sealed", "sealed", "operator")
    codes = {}
    for mode in ("off", "redacted", "sealed"):
        assert (await both.set_mode(mode)).json["set_by"] == "tenant"
        decision_id = await both.decide(SSN)
        told = (await both.replay(decision_id)).json
        codes[mode] = (told["not_replayable"] or {}).get("code")
        explained = await both.record.ask("GET", f"/api/v1/decisions/{decision_id}/explain", caller=both.caller)
        assert explained.json["replayable"] is (mode == "sealed")
    assert codes == {"off": "off", "redacted": "redacted", "sealed": None}
    rows = owner(url, "SELECT metadata FROM audit_logs WHERE request_type = 'recording_change' ORDER BY created_at")
    assert [row[0]["after"] for row in rows] == ["off", "redacted", "sealed"]
    assert (await both.set_mode("everything")).status == 400


async def test_more_than_the_operator_allows_is_refused(url: str, both: Pair, tmp_path: Path) -> None:
    async with running_record(url, tmp_path, AXONFLOW_RECORD_INPUT="redacted") as record:
        reply = await record.ask("PUT", "/api/v1/decisions/recording", {"mode": "sealed"}, caller=both.caller)
        assert reply.status == 403
        assert "AXONFLOW_RECORD_INPUT" in reply.json["error"]
        told = (await record.ask("GET", "/api/v1/decisions/recording", caller=both.caller)).json
        assert (told["mode"], told["requested"]) == ("redacted", "sealed")


async def test_an_input_above_the_limit_is_not_kept_and_its_row_says_so(both: Pair, url: str) -> None:
    decision_id = await both.decide("word " * 110_000)
    told = (await both.replay(decision_id)).json
    assert told["not_replayable"]["code"] == "too_large"
    assert owner(url, "SELECT sealed, omitted FROM sealed_inputs WHERE id = %s", decision_id) == [(None, "too_large")]


async def test_a_call_that_was_not_judged_cannot_be_judged_again(both: Pair) -> None:
    answer = await both.planes.post("/api/v1/decide", b"{", both.planes.headers)
    told = (await both.replay(answer.headers["x-axonflow-decision-id"])).json
    assert told["not_replayable"]["code"] == "not_judged"


async def test_a_wrong_word_is_refused(both: Pair) -> None:
    reply = await both.replay(await both.decide("hello"), "yesterday")
    assert (reply.status, "against must be one of" in reply.json["error"]) == (400, True)
