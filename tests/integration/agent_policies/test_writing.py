"""Policies written through a running agent: what is refused and how, who sees them, and the traces they leave."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.gateway import Answer, Gateway, rows
from support.policy_api import STATIC, PolicyClient, new_policy

NOBODY = "00000000-0000-4000-8000-000000000000"


def message(answer: Answer, status: int) -> str:
    """The text of a refusal, which must have the middleware's shape."""
    assert answer.status == status, answer.body
    error = answer.json["error"]
    assert error["code"] == status
    return str(error["message"])


def changes(client: PolicyClient, policy_id: str, org: str = "acme-bank") -> list[dict[str, Any]]:
    found = rows(client.gateway.database_url, "audit_logs", org_id=org)
    return [row for row in found if row["metadata"].get("policy_id") == policy_id]


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"name": ""}, 400, "name is required"),
        ({"name": None}, 400, "name is required"),
        ({"pattern": ""}, 400, "pattern is required"),
        ({"category": ""}, 400, "category is required"),
        ({"action": ""}, 400, "action is required"),
        ({"name": "x" * 256}, 400, "name must be"),
        ({"name": "nul\0"}, 400, "NUL"),
        ({"category": "dynamic-risk"}, 400, "Invalid policy category"),
        ({"tier": "galaxy"}, 400, "Invalid policy tier"),
        ({"tier": "system"}, 403, "Cannot create system-tier policies via API"),
        ({"action": "allow"}, 400, "Invalid policy action"),
        ({"severity": "fatal"}, 400, "Invalid policy severity"),
        ({"priority": 1001}, 400, "priority"),
        ({"priority": "high"}, 400, "Invalid request body"),
        ({"enabled": 1}, 400, "Invalid request body"),
        ({"tags": ["x"] * 51}, 400, "tags"),
        ({"pattern": "(a"}, 400, "Invalid regex pattern"),
        ({"pattern": r"(a)\1"}, 400, "Invalid regex pattern"),
        ({"pattern": "(?=a)b"}, 400, "Invalid regex pattern"),
        ({"pattern": "a*"}, 400, "matches empty text"),
        ({"pattern": "x" * 513}, 400, "512"),
        ({"pattern": "(a)" * 11}, 400, "10 capture groups"),
        ({"organization_id": "rival-bank"}, 403, "organization_id does not match authenticated identity"),
    ],
)
def test_what_cannot_be_a_policy_is_refused_with_its_reason(
    tellers: PolicyClient, fields: dict[str, Any], status: int, text: str
) -> None:
    assert text in message(tellers.call("POST", STATIC, new_policy(**fields)), status)


@pytest.mark.parametrize("body", [b"", b"{", b'{"name": "a", "name": "b"}', b"[]", b'"x"', b"\xff"])
def test_a_body_that_two_readers_could_read_differently_is_refused(tellers: PolicyClient, body: bytes) -> None:
    assert "Invalid request body" in message(tellers.call("POST", STATIC, body), 400)


def test_a_refusal_by_rule_carries_its_text_where_the_sdk_looks(tellers: PolicyClient) -> None:
    answer = tellers.call("PATCH", f"{STATIC}/sys_pii_ssn", {"enabled": False})
    assert answer.json["message"] == message(answer, 403) == "System policies cannot be disabled via API"


def test_the_products_policies_are_immutable(tellers: PolicyClient) -> None:
    before = tellers.get("/sys_pii_ssn")
    assert message(tellers.call("PUT", f"{STATIC}/sys_pii_ssn", {"name": "x"}), 403).endswith("modified via API")
    assert message(tellers.call("DELETE", f"{STATIC}/{before['id']}"), 403).endswith("deleted via API")
    assert tellers.get("/sys_pii_ssn") == before


def test_a_change_is_a_version_and_an_audit_row_with_its_author(tellers: PolicyClient) -> None:
    made = tellers.create(enabled=True, description="first", tags=["a", "b"])
    key = made["id"]
    changed = tellers.call("PUT", f"{STATIC}/{key}", {"severity": "high", "pattern": "secret-[0-9]{4}"}).json
    assert (changed["version"], changed["severity"], changed["description"]) == (2, "high", "first")
    assert changed["tags"] == ["a", "b"]
    toggled = tellers.call("PATCH", f"{STATIC}/{key}", {"enabled": False}).json
    assert (toggled["enabled"], toggled["version"]) == (False, 3)
    listed = tellers.get(f"/{key}/versions")
    assert [each["change_type"] for each in listed["versions"]] == ["disabled", "updated", "created"]
    assert listed["versions"][1]["change_summary"] == "pattern, severity"
    assert listed["versions"][2]["snapshot"]["pattern"] == made["pattern"]
    assert tellers.call("DELETE", f"{STATIC}/{key}").status == 204
    assert message(tellers.call("DELETE", f"{STATIC}/{key}"), 404) == "Policy not found"

    traces = changes(tellers, made["policy_id"])
    assert [row["metadata"]["change_type"] for row in traces] == ["created", "updated", "disabled", "deleted"]
    assert {(row["plane"], row["request_type"], row["tenant_id"]) for row in traces} == {
        ("agent", "policy_change", "tellers")
    }
    assert all(row["client_id"] and row["trace_id"] for row in traces)
    assert made["created_by"] == toggled["updated_by"] == f"{traces[0]['client_id']}@axonflow.local"


def test_a_change_that_changes_nothing_leaves_no_trace(tellers: PolicyClient) -> None:
    made = tellers.create()
    again = tellers.call("PUT", f"{STATIC}/{made['id']}", {"name": made["name"], "action": None}).json
    assert again["version"] == 1
    assert len(changes(tellers, made["policy_id"])) == 1


def test_concurrent_changes_make_versions_in_a_row(tellers: PolicyClient, replicas: tuple[Gateway, Gateway]) -> None:
    made = tellers.create()
    clients = [tellers, tellers.on(replicas[1])]

    def change(number: int) -> int:
        body = {"description": f"change {number}"}
        return int(clients[number % 2].call("PUT", f"{STATIC}/{made['id']}", body).json["version"])

    with ThreadPoolExecutor(6) as pool:
        versions = sorted(pool.map(change, range(6)))
    assert versions == [2, 3, 4, 5, 6, 7]
    assert tellers.get(f"/{made['id']}/versions")["count"] == 7


def test_a_foreign_policy_does_not_exist(tellers: PolicyClient, brokers: PolicyClient, rival: PolicyClient) -> None:
    made = tellers.create()
    for stranger in (brokers, rival):
        for key in (made["id"], made["policy_id"], NOBODY, "no%27such"):
            path = f"{STATIC}/{key}"
            assert message(stranger.call("GET", path), 404) == "Policy not found"
            assert message(stranger.call("PUT", path, {"name": "mine now"}), 404) == "Policy not found"
            assert message(stranger.call("PATCH", path, {"enabled": False}), 404) == "Policy not found"
            assert message(stranger.call("DELETE", path), 404) == "Policy not found"
            assert message(stranger.call("GET", f"{path}/versions"), 404) == "Policy not found"
        seen = {policy["id"] for policy in stranger.get("/effective?include_disabled=true")["static"]}
        assert made["id"] not in seen
    assert tellers.get(f"/{made['id']}")["name"] == made["name"]


def test_an_organisations_policy_is_seen_by_its_tenants_alone(
    tellers: PolicyClient, brokers: PolicyClient, rival: PolicyClient
) -> None:
    made = tellers.create(tier="organization", organization_id="acme-bank")
    assert made["organization_id"] == "acme-bank"
    assert made["id"] in {policy["id"] for policy in brokers.get("?organization_id=acme-bank")["policies"]}
    assert brokers.get(f"/{made['policy_id']}")["id"] == made["id"]
    assert message(rival.call("GET", f"{STATIC}/{made['id']}"), 404) == "Policy not found"


def test_the_limit_of_the_edition_holds_under_concurrent_creates(community: PolicyClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: community.call("POST", STATIC, new_policy()), range(8)))
    assert sorted(answer.status for answer in answers) == [201] * 3 + [403] * 5
    refused = next(answer for answer in answers if answer.status == 403)
    assert message(refused, 403) == "Tenant policy limit reached (3 max for Community)"
    made = next(answer for answer in answers if answer.status == 201).json
    assert community.call("DELETE", f"{STATIC}/{made['id']}").status == 204
    assert community.create()["version"] == 1, "a deleted policy makes room"


def test_organisation_policies_need_another_edition(community: PolicyClient) -> None:
    answer = community.call("POST", STATIC, new_policy(tier="organization"))
    assert message(answer, 403) == "Organization tier requires Enterprise license"


def test_community_shows_the_last_five_versions(community: PolicyClient) -> None:
    made = community.get("?tier=tenant&limit=1")["policies"][0]
    for number in range(6):
        community.call("PUT", f"{STATIC}/{made['id']}", {"description": f"change {number}"})
    listed = community.get(f"/{made['id']}/versions")
    assert (listed["count"], listed["policy_id"]) == (5, made["policy_id"])
    numbers = [each["version"] for each in listed["versions"]]
    assert numbers == sorted(numbers, reverse=True)


def test_a_tenants_policy_is_stored_and_does_not_judge_chat_completions(tellers: PolicyClient) -> None:
    made = tellers.create(pattern="orange elephant", action="block")
    shown = {key: made["metadata"][key] for key in ("category", "action_request", "action_request_origin")}
    assert shown == {"category": "code-compliance", "action_request": "block", "action_request_origin": "stored"}
    assert tellers.chat("Tell me of the orange elephant.").status == 200


def test_patterns_are_tried_without_being_kept(tellers: PolicyClient) -> None:
    body = {"pattern": r"card (\d{4})", "input": "card 1234, card 5678"}
    tried = tellers.call("POST", f"{STATIC}/test", body).json
    assert tried["results"] == [
        {"input": body["input"], "matched": True, "matches": ["card 1234", "card 5678"], "groups": ["1234"]}
    ]
    bad = tellers.call("POST", f"{STATIC}/test", {"pattern": "(", "inputs": ["x"]})
    assert (bad.status, bad.json["valid"]) == (200, False)
    assert message(tellers.call("POST", f"{STATIC}/test", {"inputs": []}), 400) == "pattern is required"


def test_a_query_is_tried_without_a_row(tellers: PolicyClient) -> None:
    before = len(rows(tellers.gateway.database_url, "audit_logs"))
    tried = tellers.call("POST", "/api/policies/test", {"query": "My SSN is 123-45-6789", "user_email": "a@b.c"}).json
    assert (tried["blocked"], tried["reason"]) == (True, "Social Security Number detected")
    assert tried["triggered_policies"][0] == "sys_pii_ssn"
    assert "pii-us" in tried["checks_performed"]
    clean = tellers.call("POST", "/api/policies/test", {"query": "Say hello.", "request_type": "chat"}).json
    assert (clean["blocked"], clean["reason"], clean["triggered_policies"]) == (False, "", [])
    missing = tellers.call("POST", "/api/policies/test", {"user_email": "a@b.c"})
    assert (missing.status, missing.json) == (400, {"success": False, "error": "query field is required"})
    assert len(rows(tellers.gateway.database_url, "audit_logs")) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sys_pii_ssn"), ("POST", ""), ("PUT", "/x"), ("PATCH", "/x"), ("DELETE", "/x"), ("GET", "/effective"),
        ("GET", "/x/versions"), ("POST", "/test"), ("GET", "/overrides"), ("GET", "/x/override"),
        ("POST", "/x/override"), ("DELETE", "/x/override"),
    ],
)  # fmt: skip
def test_nobody_comes_in_without_credentials(tellers: PolicyClient, method: str, path: str) -> None:
    stranger = PolicyClient(tellers.gateway)
    assert "Authentication required" in message(stranger.call(method, STATIC + path, {}), 401)


def findings(shown: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["problem"], finding["other_id"]) for finding in shown["metadata"].get("lint", [])]


@pytest.mark.parametrize("pattern", [r"\w", ".", r"[a-z0-9]", r"(?s:.)+"])
def test_a_pattern_that_finds_something_everywhere_is_refused_with_the_finding(
    tellers: PolicyClient, pattern: str
) -> None:
    answer = tellers.call("POST", STATIC, new_policy(pattern=pattern))
    assert answer.status == 400
    assert "finds something in any text" in answer.json["error"]["message"]
    kept = tellers.create(pattern=r"\bnarrow-\d{9}\b")
    assert tellers.call("PUT", f"{STATIC}/{kept['id']}", {"pattern": pattern}).status == 400
    assert tellers.get(f"/{kept['id']}")["pattern"] == kept["pattern"]
    tellers.call("DELETE", f"{STATIC}/{kept['id']}")


def test_a_duplicate_a_contradiction_and_a_shadow_are_written_and_told(tellers: PolicyClient) -> None:
    wide = tellers.create(pattern=r"\bEMP-\d{4,}", action="block", priority=90)
    twin = tellers.create(pattern=r"\bEMP-\d{4,}", action="block", priority=90)
    narrow = tellers.create(pattern=r"\bEMP-\d{6}", action="warn")
    other = tellers.create(pattern=r"\bQQ-\d{8}-lint\b")
    assert findings(wide) == []
    assert findings(twin) == [("duplicate", wide["policy_id"])]
    assert {("shadowed", wide["policy_id"]), ("shadowed", twin["policy_id"])} == set(findings(narrow))
    assert findings(other) == []
    changed = tellers.call("PUT", f"{STATIC}/{twin['id']}", {"action": "warn"}).json
    assert findings(changed) == [("contradictory", wide["policy_id"])]
    assert "lint" not in tellers.get(f"/{twin['id']}")["metadata"]
    off, on = (
        tellers.call("PATCH", f"{STATIC}/{narrow['id']}", {"enabled": enabled}).json for enabled in (False, True)
    )
    assert (findings(off), len(findings(on))) == ([], 2)
    for made in (wide, twin, narrow, other):
        tellers.call("DELETE", f"{STATIC}/{made['id']}")


def test_another_tenants_policies_are_never_told(tellers: PolicyClient, rival: PolicyClient) -> None:
    theirs = rival.create(pattern=r"\bRIVAL-\d{7}\b")
    mine = tellers.create(pattern=r"\bRIVAL-\d{7}\b")
    assert findings(mine) == []
    rival.call("DELETE", f"{STATIC}/{theirs['id']}")
    tellers.call("DELETE", f"{STATIC}/{mine['id']}")
