"""``/api/clients`` on a running agent in enterprise mode: what is made there opens the gateway."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from support.gateway import ADMIN_KEY, PROVIDER_KEY, Answer, Gateway, basic, request, running_gateway
from support.upstream import running_upstream

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def gateway(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with (
        running_upstream() as upstream,
        running_gateway(module_database_url, upstream, tmp_path_factory.mktemp("agent"), "enterprise") as gateway,
    ):
        yield gateway


def admin(gateway: Gateway, method: str, path: str = "", body: object = None, key: str = ADMIN_KEY) -> Answer:
    headers = {"X-Admin-API-Key": key, "Content-Type": "application/json"}
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return request(f"{gateway.service.url}/api/clients{path}", method, headers, data)


def call(gateway: Gateway, client_id: str, secret: str, **headers: str) -> Answer:
    sent = {"Authorization": basic(client_id, secret), "X-Provider-Key": PROVIDER_KEY, **headers}
    return gateway.post(CHAT, sent)


def settles_at(gateway: Gateway, client_id: str, secret: str, status: int) -> bool:
    deadline = time.monotonic() + 5
    while call(gateway, client_id, secret).status != status:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_new_client_may_call_and_its_secret_is_told_once(gateway: Gateway):
    made = admin(gateway, "POST", body={"name": "Billing", "permissions": ["llm"]})
    assert made.status == 201
    client = made.json
    assert len(client["client_secret"]) == 64
    assert settles_at(gateway, client["id"], client["client_secret"], 200)
    listed = {one["id"]: one for one in admin(gateway, "GET").json}
    assert listed[client["id"]]["name"] == "Billing"
    assert "client_secret" not in listed[client["id"]]
    assert client["client_secret"] not in gateway.service.output


def test_a_disabled_client_is_refused_until_it_is_enabled_again(gateway: Gateway):
    client = admin(gateway, "POST", body={"name": "Batch"}).json
    identity = client["id"], client["client_secret"]
    assert admin(gateway, "PATCH", f"/{client['id']}", {"enabled": False}).json["enabled"] is False
    assert settles_at(gateway, *identity, 403)
    assert admin(gateway, "PATCH", f"/{client['id']}", {"enabled": True}).status == 200
    assert settles_at(gateway, *identity, 200)


def test_a_rotated_secret_replaces_the_old_one(gateway: Gateway):
    client = admin(gateway, "POST", body={"name": "Rotating"}).json
    rotated = admin(gateway, "POST", f"/{client['id']}/rotate").json
    assert settles_at(gateway, client["id"], rotated["client_secret"], 200)
    assert settles_at(gateway, client["id"], client["client_secret"], 401)


def test_a_client_over_its_limit_is_told_when_to_come_back(gateway: Gateway):
    client = admin(gateway, "POST", body={"name": "Limited", "rate_limit": 3}).json
    identity = client["id"], client["client_secret"]
    assert settles_at(gateway, *identity, 200)
    refused = next(answer for answer in (call(gateway, *identity) for _ in range(8)) if answer.status == 429)
    assert refused.json["error"] == {"code": 429, "message": "Rate limit exceeded"}
    assert refused.headers["x-ratelimit-limit"] == "3"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    [row] = gateway.rows("audit_logs", refused.headers["x-axonflow-decision-id"])
    assert (row["verdict"], row["client_id"], row["reason"]) == ("blocked", client["id"], "rate_limited")


@pytest.mark.parametrize("key", ["", "wrong", ADMIN_KEY + "x"])
def test_without_the_admin_key_nothing_is_shown_or_made(gateway: Gateway, key):
    for answer in (admin(gateway, "GET", key=key), admin(gateway, "POST", body={"name": "x"}, key=key)):
        assert (answer.status, answer.json["success"]) == (401, False)


def test_the_admin_key_may_come_as_a_bearer_token(gateway: Gateway):
    answer = request(f"{gateway.service.url}/api/clients", "GET", {"Authorization": f"Bearer {ADMIN_KEY}"})
    assert answer.status == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 300},
        {"name": "x", "id": "has space"},
        {"name": "x", "id": "../up"},
        {"name": "x", "rate_limit": -1},
        {"name": "x", "secret": "mine"},
        {"name": 7},
        b"{",
        b'{"name":"a","name":"b"}',
    ],
)
def test_a_bad_body_is_400_with_a_sentence_and_makes_nothing(gateway: Gateway, body):
    before = len(admin(gateway, "GET").json)
    answer = admin(gateway, "POST", body=body)
    assert (answer.status, answer.json["success"]) == (400, False)
    assert answer.json["error"]
    assert len(admin(gateway, "GET").json) == before


def test_an_id_can_be_taken_once_also_by_another_organisation(gateway: Gateway):
    assert admin(gateway, "POST", body={"name": "a", "id": "taken"}).status == 201
    assert admin(gateway, "POST", body={"name": "b", "id": "taken"}).status == 409
    assert admin(gateway, "POST", body={"name": "c", "id": "taken", "org_id": "elsewhere"}).status == 409


def test_an_unknown_client_and_one_of_another_organisation_are_not_there(gateway: Gateway):
    assert admin(gateway, "PATCH", "/nobody", {"enabled": False}).status == 404
    admin(gateway, "POST", body={"name": "theirs", "id": "theirs", "org_id": "other-org"})
    assert admin(gateway, "PATCH", "/theirs", {"enabled": False}).status == 404
    assert "theirs" not in {one["id"] for one in admin(gateway, "GET").json}


def test_without_an_admin_key_in_the_environment_the_api_is_closed(database_url: str, tmp_path):
    with running_upstream() as upstream, running_gateway(database_url, upstream, tmp_path, ADMIN_API_KEY="") as closed:
        answer = admin(closed, "GET", key="")
        assert answer.status == 403
        assert "ADMIN_API_KEY" in answer.json["error"]
