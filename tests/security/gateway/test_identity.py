"""Keys, names and tokens of a kind that nobody meant: refused or kept apart, never a crash, never written down."""

from __future__ import annotations

import json
import time

import pytest
from support.gateway import (
    ADMIN_KEY,
    CLIENT_SECRET,
    HELLO,
    INTERNAL_SECRET,
    JWT_SECRET,
    PROVIDER_KEY,
    Answer,
    Gateway,
    basic,
    request,
    running_gateway,
)
from support.upstream import raw, running_upstream

CHAT = {"model": "gpt-4o-mini", "messages": HELLO}


def admin(
    gateway: Gateway, method: str, path: str = "", body: object = None, key: bytes = ADMIN_KEY.encode()
) -> Answer:
    headers = {"X-Admin-API-Key": key.decode("latin-1"), "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    return request(f"{gateway.service.url}/api/clients{path}", method, headers, data)


@pytest.mark.parametrize("org_id", ["%00", "a%00b", "%0a", "x" * 300, "'%20or%201=1--", "%ff", "@system"])
def test_an_organisation_that_cannot_exist_is_not_asked_for(guarded: Gateway, org_id):
    answers = [
        admin(guarded, "GET", f"?org_id={org_id}"),
        admin(guarded, "PATCH", f"/teller-app?org_id={org_id}", {"enabled": False}),
        admin(guarded, "POST", f"/teller-app/rotate?org_id={org_id}"),
    ]
    assert [answer.status for answer in answers] == [400, 400, 400]
    assert guarded.post(CHAT).status == 200


@pytest.mark.parametrize("permissions", [["\u0000"], ["a" * 101], ["a b"], [""], [f"p{n}" for n in range(200)]])
def test_permissions_that_cannot_be_stored_or_shown_are_refused(guarded: Gateway, permissions):
    answer = admin(guarded, "POST", body={"name": "x", "permissions": permissions})
    assert (answer.status, answer.json["success"]) == (400, False)


def test_an_admin_key_outside_ascii_opens_what_it_should_and_nothing_else(database_url: str, tmp_path):
    key = "schl\u00fcssel-\u2713-0123456789"
    with (
        running_upstream() as upstream,
        running_gateway(database_url, upstream, tmp_path, ADMIN_API_KEY=key) as gateway,
    ):
        assert admin(gateway, "GET", key=key.encode()).status == 200
        for wrong in (key.encode()[:-1], "schl\u00fcssel".encode("latin-1"), b"\xff\xfe", b""):
            assert admin(gateway, "GET", key=wrong).status == 401


@pytest.mark.parametrize("name", ["'; DROP TABLE audit_logs; --", "\u00e9\u4e2d\U0001f600", "a" * 255, "{x}", "%s"])
def test_a_name_that_a_community_caller_makes_up_is_kept_as_it_is_and_is_no_label(gateway: Gateway, name):
    answer = gateway.post(CHAT, {**gateway.headers, "Authorization": basic(name, "")})
    assert answer.status == 200
    [row] = gateway.rows("audit_logs", answer.headers["x-axonflow-decision-id"])
    assert (row["client_id"], row["tenant_id"]) == (name, "community")
    assert name not in request(f"{gateway.service.url}/prometheus", "GET", {}).body.decode()


@pytest.mark.parametrize("name", ["a\x00b", "a\nb", "\u202eabc", "a" * 256])
def test_a_name_that_cannot_be_shown_is_nobodys(gateway: Gateway, name):
    answer = gateway.post(CHAT, {**gateway.headers, "Authorization": basic(name, "")})
    [row] = gateway.rows("audit_logs", answer.headers["x-axonflow-decision-id"])
    assert row["client_id"] == "community"


@pytest.mark.parametrize(
    "token",
    ["a.b.c", "....", "\u00e9.\u00e9.\u00e9", "eyJhbGciOiJub25lIn0.e30.", "W1tbW1tb" * 700 + ".e30.AAAA", "x" * 60_000],
)
def test_a_user_token_of_any_shape_is_401_and_no_crash(guarded: Gateway, token):
    sent = token.encode().decode("latin-1")
    answer = guarded.post(CHAT, {**guarded.headers, "X-Axonflow-User-Token": sent})
    assert (answer.status, answer.json["error"]["message"]) == (401, "Invalid user token")
    assert guarded.upstream.received == []


def test_refusals_of_two_clients_at_one_address_are_not_counted_to_one_of_them(guarded: Gateway):
    other = admin(guarded, "POST", body={"name": "other", "id": "other-app"}).json
    theirs = {"X-Provider-Key": "k", "Authorization": basic("other-app", other["client_secret"])}
    deadline = time.monotonic() + 10
    while guarded.post(CHAT, theirs).status != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.1)
    for _ in range(30):
        guarded.post(b"{")
        guarded.post(b"{", theirs)
    counted = {"teller-app": 0, "other-app": 0}
    while sum(counted.values()) < 60 and time.monotonic() < deadline + 10:
        time.sleep(0.3)
        found = [row for row in guarded.rows_all("audit_logs") if row["reason"] == "malformed"]
        counted = {name: sum(row["folded_count"] for row in found if row["client_id"] == name) for name in counted}
    assert counted == {"teller-app": 30, "other-app": 30}


def test_no_secret_is_in_a_log_of_any_level_a_row_a_metric_or_an_answer(guarded: Gateway):
    secrets = [PROVIDER_KEY, CLIENT_SECRET, ADMIN_KEY, JWT_SECRET, INTERNAL_SECRET, "canary-token-5f1d"]
    headers = {**guarded.headers, "X-Axonflow-User-Token": "canary-token-5f1d"}
    answers = [
        guarded.post(CHAT),
        guarded.post(b"{"),
        guarded.post(CHAT, headers),
        guarded.post(CHAT, path=f"/v1/chat/completions?api_key={PROVIDER_KEY}"),
        guarded.post(CHAT, {**headers, "X-Provider-Key": PROVIDER_KEY + "\u00e9"}),
        guarded.post(CHAT, {"X-Provider-Key": PROVIDER_KEY, "Authorization": f"Bearer {PROVIDER_KEY}"}),
        admin(guarded, "GET"),
        admin(guarded, "POST", body={"name": PROVIDER_KEY, "secret": CLIENT_SECRET}),
        admin(guarded, "GET", key=ADMIN_KEY.encode() + b"x"),
    ]
    guarded.upstream.respond = raw(b"not http at all")
    answers.append(guarded.post(CHAT))
    answers.append(request(f"{guarded.service.url}/prometheus", "GET", {}))
    rows = json.dumps([guarded.rows_all("audit_logs"), guarded.rows_all("llm_call_audits")], default=str)
    files = "".join(path.read_text() for path in guarded.audit_dir.glob("*") if path.is_file())
    for secret in secrets:
        assert secret not in guarded.service.output
        assert secret not in rows
        assert secret not in files
        assert not [answer.status for answer in answers if secret.encode() in answer.body]


def test_a_limit_in_community_is_not_escaped_by_another_name(database_url: str, tmp_path):
    with (
        running_upstream() as upstream,
        running_gateway(database_url, upstream, tmp_path, AXONFLOW_RATE_LIMIT_PER_MINUTE="3") as gateway,
    ):
        named = ({"X-Provider-Key": "k", "Authorization": basic(f"name-{n}", "")} for n in range(12))
        statuses = [gateway.post(CHAT, headers).status for headers in named]
    assert 429 in statuses
