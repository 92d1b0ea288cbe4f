"""The circuit breaker through running agents: who is stopped, where, for how long, and what is left of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.gateway import SSN_TEXT, Answer, Gateway, rows, running_gateway
from support.policy_api import PolicyClient, new_client
from support.postgres import Server
from support.upstream import Upstream

CIRCUITS = "/api/v1/circuit-breaker"
ORDINARY = "What is the capital of Norway?"


def trip(client: PolicyClient, **fields: Any) -> Answer:
    return client.call("POST", f"{CIRCUITS}/trip", fields)


def reset(client: PolicyClient, **fields: Any) -> Answer:
    return client.call("POST", f"{CIRCUITS}/reset", fields)


def soon(condition: Callable[[], bool], limit_s: float = 10.0) -> bool:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(autouse=True)
def _all_closed(tellers: PolicyClient, rival: PolicyClient) -> Iterator[None]:
    yield
    for client in (tellers, rival):
        for circuit in client.call("GET", f"{CIRCUITS}/status").json["active_circuits"]:
            reset(client, scope=circuit["scope"], scope_id=circuit["scope_id"])


def test_an_emergency_stop_refuses_the_whole_organisation_on_every_replica_and_nobody_else(
    tellers: PolicyClient, brokers: PolicyClient, rival: PolicyClient, replicas: tuple[Gateway, Gateway]
) -> None:
    stopped = tellers.call("POST", "/api/v1/emergency-stop", {"comment": "a drill", "duration_minutes": 5})
    assert (stopped.status, stopped.json["scope"], stopped.json["state"]) == (201, "global", "open")
    refused = tellers.chat(ORDINARY)
    assert (refused.status, refused.headers["retry-after"].isdigit()) == (503, True)
    assert refused.json["error"]["message"] == "circuit breaker active (reason: manual)"
    assert soon(lambda: brokers.on(replicas[1]).chat(ORDINARY).status == 503)
    assert rival.chat(ORDINARY).status == 200
    status = brokers.call("GET", f"{CIRCUITS}/status").json
    assert (status["count"], status["emergency_stop_active"], status["data"]["count"]) == (1, True, 1)
    assert tellers.call("POST", "/api/v1/emergency-stop/release", {}).json["state"] == "closed"
    assert tellers.chat(ORDINARY).status == 200
    assert soon(lambda: brokers.on(replicas[1]).chat(ORDINARY).status == 200)


def test_a_refusal_leaves_its_row_and_so_does_the_change(tellers: PolicyClient) -> None:
    trip(tellers, scope="tenant", scope_id="tellers", comment="stop it")
    refused = tellers.chat(ORDINARY)
    assert refused.status == 503
    [row] = rows(tellers.gateway.database_url, "audit_logs", refused.headers["x-axonflow-decision-id"])
    assert (row["verdict"], row["org_id"], row["tenant_id"]) == ("error", "acme-bank", "tellers")
    assert "circuit breaker active" in row["reason"] + (row["error_message"] or "")
    changes = [row["metadata"] for row in rows(tellers.gateway.database_url, "audit_logs") if row["metadata"]]
    [kept] = [each for each in changes if each.get("comment") == "stop it"]
    assert (kept["change_type"], kept["scope_id"]) == ("circuit_opened", "tellers")


def test_a_client_or_a_tenant_is_stopped_alone(tellers: PolicyClient, brokers: PolicyClient) -> None:
    assert trip(tellers, scope="tenant", scope_id="tellers").status == 201
    assert tellers.chat(ORDINARY).status == 503
    assert brokers.chat(ORDINARY).status == 200
    checked = tellers.call("POST", f"{CIRCUITS}/check", {"tenant_id": "tellers"}).json
    assert (checked["allowed"], checked["scope"]) == (False, "tenant")
    assert tellers.call("POST", f"{CIRCUITS}/check", {"tenant_id": "brokers"}).json == {"allowed": True}


def test_a_client_that_was_stopped_does_not_start_itself_again(
    tellers: PolicyClient, replicas: tuple[Gateway, Gateway]
) -> None:
    narrow = new_client(replicas[0], "acme-bank", "tellers", "query", "llm")
    guard = new_client(replicas[0], "acme-bank", "tellers", "circuit:write")
    assert trip(guard, scope="tenant", scope_id="tellers").status == 201
    for method, path, body in (
        ("POST", f"{CIRCUITS}/reset", {"scope": "tenant", "scope_id": "tellers"}),
        ("POST", f"{CIRCUITS}/trip", {}),
        ("POST", "/api/v1/emergency-stop", {}),
        ("POST", "/api/v1/emergency-stop/release", {}),
        ("PUT", f"{CIRCUITS}/config", {"tenant_id": "tellers", "violation_threshold": 1_000_000}),
    ):
        refused = narrow.call(method, path, body)
        assert (refused.status, "circuit:write" in refused.body.decode()) == (403, True)
    assert narrow.call("GET", f"{CIRCUITS}/status").json["count"] == 1
    assert tellers.chat(ORDINARY).status == 503
    assert reset(guard, scope="tenant", scope_id="tellers").status == 200
    assert tellers.chat(ORDINARY).status == 200


def test_a_policys_circuit_stops_the_calls_it_matches(tellers: PolicyClient) -> None:
    mail = "Write to jane.miller@example-bank.com today."
    assert tellers.chat(mail).status == 200
    assert trip(tellers, scope="policy", scope_id="sys_pii_email").status == 201
    assert tellers.chat(mail).status == 503
    assert tellers.chat(ORDINARY).status == 200


def test_a_circuit_ends_by_itself(tellers: PolicyClient, replicas: tuple[Gateway, Gateway]) -> None:
    until = trip(tellers, scope="tenant", scope_id="tellers", duration_minutes=1).json["expires_at"]
    assert until is not None
    assert trip(tellers, scope="tenant", scope_id="tellers").json["expires_at"] is None, "the newest trip counts"
    refused = tellers.chat(ORDINARY)
    assert (refused.status, "retry-after" in refused.headers) == (503, False)


def test_history_names_every_opening_and_closing(tellers: PolicyClient) -> None:
    trip(tellers, scope="client", scope_id="robot", reason="risk_level")
    reset(tellers, scope="client", scope_id="robot", comment="looked at")
    answer = tellers.call("GET", f"{CIRCUITS}/history?limit=2").json
    assert answer["count"] == 2
    closing, opening = answer["history"]
    assert (closing["state"], opening["state"], opening["trip_reason"]) == ("closed", "open", "risk_level")
    assert closing["circuit_id"] == opening["circuit_id"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"scope": "planet"}, "Invalid request body"),
        ({"scope": "tenant"}, "scope_id is required"),
        ({"duration_minutes": -1}, "duration_minutes"),
        ({"duration_minutes": 1_000_000}, "duration_minutes"),
        ({"comment": "x" * 2001}, "comment"),
    ],
)
def test_what_cannot_be_a_trip_is_refused(tellers: PolicyClient, fields: dict[str, Any], text: str) -> None:
    answer = trip(tellers, **fields)
    assert (answer.status, text in answer.json["error"]["message"]) == (400, True)
    assert tellers.chat(ORDINARY).status == 200


def test_a_reset_of_nothing_is_a_404(tellers: PolicyClient) -> None:
    assert reset(tellers, scope="tenant", scope_id="tellers").status == 404


def test_thresholds_are_a_tenants_own_and_nulls_inherit(tellers: PolicyClient) -> None:
    assert tellers.call("GET", f"{CIRCUITS}/config").json["source"] == "global"
    body = {"tenant_id": "tellers", "violation_threshold": 3, "error_threshold": None}
    assert tellers.call("PUT", f"{CIRCUITS}/config", body).json["violation_threshold"] == 3
    config = tellers.call("GET", f"{CIRCUITS}/config?tenant_id=tellers").json
    assert (config["source"], config["violation_threshold"], config["error_threshold"]) == ("tenant", 3, 10)
    assert tellers.call("GET", f"{CIRCUITS}/config?tenant_id=brokers").json["source"] == "global"
    assert tellers.call("PUT", f"{CIRCUITS}/config", {"tenant_id": "tellers", "window_seconds": 0}).status == 400


def test_other_editions_have_no_circuits(community: PolicyClient) -> None:
    assert community.call("GET", f"{CIRCUITS}/status").status == 404
    assert trip(community).status == 404


def test_repeated_denials_open_a_circuit_by_themselves_only_where_the_operator_wants_it(
    postgres_server: Server, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory, tellers: PolicyClient
) -> None:
    for _ in range(7):
        assert tellers.chat(SSN_TEXT).status == 400
    assert tellers.chat(ORDINARY).status == 200, "nothing opens by itself by default"
    directory = tmp_path_factory.mktemp("automatic")
    with (
        postgres_server.database() as url,
        running_gateway(url, upstream, directory, "enterprise", AXONFLOW_CIRCUIT_AUTO="true") as gateway,
    ):
        looping, bystander = new_client(gateway, "acme-bank", "loop"), new_client(gateway, "acme-bank", "calm")
        for _ in range(5):
            assert looping.chat(SSN_TEXT).status in {400, 503}
        assert soon(lambda: looping.chat(ORDINARY).status == 503)
        assert bystander.chat(ORDINARY).status == 200
        [circuit] = [
            each
            for each in looping.call("GET", f"{CIRCUITS}/status").json["active_circuits"]
            if each["scope"] == "client"
        ]
        assert (circuit["trip_reason"], circuit["tripped_by"]) == ("policy_violation", "axonflow")
        assert circuit["expires_at"] is not None
