"""A client of the policy API, for tests with running agents."""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Mapping
from typing import Any

from support.gateway import ADMIN_KEY, Answer, Gateway, basic, request

STATIC = "/api/v1/static-policies"


@dataclasses.dataclass(frozen=True)
class PolicyClient:
    """One client application of an agent; ``None`` credentials in community."""

    gateway: Gateway
    authorization: str | None = None

    def call(self, method: str, path: str, body: Mapping[str, Any] | bytes | None = None) -> Answer:
        headers = {"Content-Type": "application/json"}
        if self.authorization is not None:
            headers["Authorization"] = self.authorization
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return request(f"{self.gateway.service.url}{path}", method, headers, data)

    def get(self, path: str = "") -> Any:
        answer = self.call("GET", STATIC + path)
        assert answer.status == 200, answer.body
        return answer.json

    def create(self, **fields: Any) -> Any:
        answer = self.call("POST", STATIC, new_policy(**fields))
        assert answer.status == 201, answer.body
        return answer.json

    def chat(self, text: str) -> Answer:
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
        headers = {"X-Provider-Key": "sk-any", "Content-Type": "application/json"}
        if self.authorization is not None:
            headers["Authorization"] = self.authorization
        data = json.dumps(body).encode()
        return request(f"{self.gateway.service.url}/v1/chat/completions", "POST", headers, data)

    def on(self, gateway: Gateway) -> PolicyClient:
        """The same client, calling another replica."""
        return PolicyClient(gateway, self.authorization)


def new_policy(**fields: Any) -> dict[str, Any]:
    """The body of a create; keywords replace fields."""
    return {
        "name": "Project names",
        "category": "code-compliance",
        "pattern": r"\bproject-[a-z]{4,12}\b",
        "action": "warn",
        **fields,
    }


def new_client(gateway: Gateway, org_id: str, tenant_id: str, *permissions: str) -> PolicyClient:
    """A client of its own for a tenant; unrestricted without permissions."""
    body: dict[str, Any] = {"name": "test", "id": f"client-{secrets.token_hex(4)}", "permissions": list(permissions)}
    body |= {"org_id": org_id, "tenant_id": tenant_id}
    headers = {"X-Admin-API-Key": ADMIN_KEY, "Content-Type": "application/json"}
    answer = request(f"{gateway.service.url}/api/clients", "POST", headers, json.dumps(body).encode())
    assert answer.status == 201, answer.body
    client = PolicyClient(gateway, basic(answer.json["id"], answer.json["client_secret"]))
    _wait_until_known(client)
    return client


def _wait_until_known(client: PolicyClient) -> None:
    for _ in range(200):
        if client.call("GET", STATIC + "?limit=1").status == 200:
            return
    raise AssertionError("the agent does not know its new client")
