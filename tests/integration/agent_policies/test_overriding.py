"""Overrides through running agents: who may, how far, whom they reach, and that every replica follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.gateway import SSN_TEXT, Answer, Gateway, rows, running_gateway
from support.policy_api import STATIC, PolicyClient, new_client
from support.postgres import Server
from support.upstream import Upstream

EMAIL = "sys_pii_email"
EXPIRED = "policy override expired"
EMAIL_TEXT = "Write to jane.miller@example-bank.com today."


def override(client: PolicyClient, policy: str = EMAIL, **fields: Any) -> Answer:
    body = {"action_override": "block", "override_reason": "a test", **fields}
    return client.call("POST", f"{STATIC}/{policy}/override", body)


def message(answer: Answer, status: int) -> str:
    assert answer.status == status, answer.body
    assert answer.json["error"]["code"] == status
    return str(answer.json["error"]["message"])


def soon(condition: Callable[[], bool], limit_s: float = 15.0) -> bool:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(autouse=True)
def _none_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    for name in ("tellers", "brokers"):
        if name in request.fixturenames:
            client: PolicyClient = request.getfixturevalue(name)
            for left in client.get("/overrides")["overrides"]:
                client.call("DELETE", f"{STATIC}/{left['policy_id']}/override")


def test_an_override_governs_on_every_replica_and_the_record_names_it(
    tellers: PolicyClient, replicas: tuple[Gateway, Gateway]
) -> None:
    other = tellers.on(replicas[1])
    assert soon(lambda: other.chat(EMAIL_TEXT).status == 200), "the other replica has heard of the client"
    made = override(tellers)
    assert made.status == 201
    assert soon(lambda: all(each.chat(EMAIL_TEXT).status == 400 for each in (tellers, other)))
    refused = other.chat(EMAIL_TEXT)
    [row] = rows(tellers.gateway.database_url, "audit_logs", refused.headers["x-axonflow-decision-id"])
    origins = {match["policy_id"]: match["origin"] for match in row["matched_policies"]}
    assert origins[EMAIL] == f"override:{made.json['id']}"
    assert tellers.call("DELETE", f"{STATIC}/{EMAIL}/override").status == 204
    assert soon(lambda: all(each.chat(EMAIL_TEXT).status == 200 for each in (tellers, other)))


def test_a_tenants_override_is_its_own(tellers: PolicyClient, brokers: PolicyClient, rival: PolicyClient) -> None:
    made = override(tellers).json
    assert soon(lambda: tellers.chat(EMAIL_TEXT).status == 400)
    for stranger in (brokers, rival):
        assert stranger.chat(EMAIL_TEXT).status == 200
        assert stranger.get("/overrides") == {"overrides": [], "count": 0}
        assert stranger.get(f"/{EMAIL}")["has_override"] is False
        assert message(stranger.call("GET", f"{STATIC}/{EMAIL}/override"), 404) == "Override not found"
        assert message(stranger.call("DELETE", f"{STATIC}/{EMAIL}/override"), 404) == "Override not found"
    assert tellers.get(f"/{EMAIL}/override") == made
    assert tellers.call("GET", "/api/v1/policy-overrides").json == {"overrides": [made], "count": 1}


def test_an_organisations_override_reaches_its_tenants_until_they_have_their_own(
    tellers: PolicyClient, brokers: PolicyClient, rival: PolicyClient
) -> None:
    assert override(tellers, organization_id="acme-bank").json["tenant_id"] is None
    assert soon(lambda: brokers.chat(EMAIL_TEXT).status == 400)
    assert rival.chat(EMAIL_TEXT).status == 200
    assert override(brokers, action_override="log").status == 201
    assert soon(lambda: brokers.chat(EMAIL_TEXT).status == 200)
    assert tellers.chat(EMAIL_TEXT).status == 400
    assert tellers.call("DELETE", f"{STATIC}/{EMAIL}/override?organization_id=acme-bank").status == 204
    assert soon(lambda: tellers.chat(EMAIL_TEXT).status == 200)
    assert message(override(tellers, organization_id="rival-bank"), 403).startswith("organization_id")


def test_an_override_ends_by_itself_and_makes_room(tellers: PolicyClient, replicas: tuple[Gateway, Gateway]) -> None:
    end = datetime.now(UTC) + timedelta(seconds=8)
    assert override(tellers, expires_at=end.isoformat()).status == 201
    other = tellers.on(replicas[1])
    assert soon(lambda: other.chat(EMAIL_TEXT).status == 400, 7)
    assert message(override(tellers), 409) == "Override already exists for this policy"
    assert soon(lambda: all(each.chat(EMAIL_TEXT).status == 200 for each in (tellers, other)))
    assert datetime.now(UTC) >= end
    assert soon(lambda: tellers.get("/overrides")["count"] == 0)
    assert override(tellers).status == 201


def test_the_end_of_an_override_leaves_one_row_whatever_the_number_of_replicas(tellers: PolicyClient) -> None:
    end = datetime.now(UTC) + timedelta(seconds=2)
    made = override(tellers, "sys_pii_dob", expires_at=end.isoformat()).json

    def ended() -> list[dict[str, Any]]:
        found = [row for row in rows(tellers.gateway.database_url, "audit_logs") if row["reason"] == EXPIRED]
        return [row for row in found if row["metadata"]["override_id"] == made["id"]]

    assert soon(lambda: bool(ended()))
    time.sleep(5)  # both replicas have swept by then
    [row] = ended()
    assert (row["org_id"], row["tenant_id"], row["created_at"]) == ("acme-bank", "tellers", end)
    assert (row["metadata"]["change_type"], row["metadata"]["override_reason"]) == ("override_expired", "a test")


def test_a_policy_is_turned_off_and_effective_says_so(tellers: PolicyClient) -> None:
    made = override(tellers, action_override=None, enabled_override=False, override_reason="no mail here").json
    assert (made["enabled_override"], made["action_override"]) == (False, tellers.get(f"/{EMAIL}")["action"])

    def effective(query: str = "") -> dict[str, Any]:
        found = tellers.get(f"/effective?category=pii-global{query}")
        assert (found["tenant_id"], found["organization_id"]) == ("tellers", "acme-bank")
        return {policy["policy_id"]: policy for policy in found["static"]}

    assert EMAIL not in effective()
    shown = effective("&include_overridden=true")[EMAIL]
    assert (shown["enabled"], shown["override_enabled"], shown["override_reason"]) == (False, False, "no mail here")
    assert "action_request" not in shown["metadata"]
    assert tellers.get(f"/{EMAIL}")["enabled"] is True, "the stored row itself is untouched"


@pytest.mark.parametrize("action", ["block", "require_approval", "redact", "warn", "log"])
def test_every_action_is_taken_and_shown_as_what_acts(tellers: PolicyClient, action: str) -> None:
    made = override(tellers, action_override=action)
    assert made.status == 201
    shown = tellers.get(f"/{EMAIL}")["metadata"]
    assert (shown["action_request"], shown["action_request_origin"]) == (action, f"override:{made.json['id']}")


def test_a_critical_policy_is_never_weakened_and_may_be_kept_as_strict(tellers: PolicyClient) -> None:
    refusal = "An override cannot weaken a policy of critical severity"
    assert message(override(tellers, "sys_pii_ssn", action_override="warn"), 403) == refusal
    off = override(tellers, "sys_pii_ssn", action_override=None, enabled_override=False)
    assert message(off, 403) == refusal
    assert override(tellers, "sys_pii_ssn").status == 201
    assert tellers.chat(SSN_TEXT).status == 400


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"override_reason": " "}, "override_reason is required"),
        ({"action_override": None}, "action_override or enabled_override is required"),
        ({"action_override": "allow"}, "Invalid action_override"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at must be in the future"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at must be before"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at must be in the future"),
        ({"expires_at": "tomorrow"}, "Invalid request body"),
        ({"override_reason": "x" * 2001}, "override_reason"),
    ],
)
def test_what_cannot_be_an_override_is_refused(tellers: PolicyClient, fields: dict[str, Any], text: str) -> None:
    assert text in message(override(tellers, **fields), 400)


def test_only_system_policies_are_overridden(tellers: PolicyClient) -> None:
    made = tellers.create()
    assert "system policies" in message(override(tellers, made["id"]), 400)
    assert message(override(tellers, "sys_no_such"), 404) == "Policy not found"


def test_making_and_ending_an_override_leaves_rows(tellers: PolicyClient) -> None:
    override(tellers, "sys_pii_phone", action_override="log", override_reason="numbers are public here")
    tellers.call("DELETE", f"{STATIC}/sys_pii_phone/override")
    found = [
        row["metadata"]
        for row in rows(tellers.gateway.database_url, "audit_logs")
        if row["request_type"] == "policy_change" and row["metadata"]["policy_id"] == "sys_pii_phone"
    ]
    assert [each["change_type"] for each in found] == ["override_created", "override_deleted"]
    assert (found[0]["weakens"], found[0]["override_reason"]) == (True, "numbers are public here")


def test_editions_without_overrides_say_so(community: PolicyClient) -> None:
    assert message(override(community), 403) == "Policy overrides require Enterprise license"
    ended = community.call("DELETE", f"{STATIC}/{EMAIL}/override")
    assert message(ended, 403) == "Policy overrides require Enterprise license"
    assert community.get("/overrides") == {"overrides": [], "count": 0}


def test_strict_lets_overrides_go_upward_only(
    postgres_server: Server, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("strict")
    env = {"AXONFLOW_OVERRIDE_STRICT": "true"}
    with (
        postgres_server.database() as url,
        running_gateway(url, upstream, directory, "enterprise", **env) as gateway,
    ):
        client = new_client(gateway, "acme-bank", "tellers")
        assert "AXONFLOW_OVERRIDE_STRICT" in message(override(client, action_override="log"), 403)
        assert override(client, organization_id="acme-bank").status == 201
        weaker = override(client, action_override="redact")
        assert "AXONFLOW_OVERRIDE_STRICT" in message(weaker, 403), "nor weaker than the organisation's own"
