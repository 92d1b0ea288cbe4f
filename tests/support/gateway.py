"""A running agent in front of a recording upstream, and the rows it leaves, read as the low-privilege role."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from support.processes import Service, running_service
from support.upstream import Upstream

ORG = "acme-bank"
CLIENT = "teller-app"
CLIENT_SECRET = "teller-secret-0123456789abcdef0123456789"
INTERNAL_SECRET = "internal-secret-0123456789abcdef0123456789"
PROVIDER_KEY = "sk-canary-4f0e9d1c2b3a49586776"
ADMIN_KEY = "admin-key-0123456789abcdef"
JWT_SECRET = "jwt-secret-0123456789abcdef0123456789abcdef"
HELLO = [{"role": "user", "content": "Say hello."}]
SSN_TEXT = "My SSN is 123-45-6789, please file it."


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclasses.dataclass
class Gateway:
    """An agent and what a client of it needs to know."""

    service: Service
    upstream: Upstream
    mode: str
    database_url: str
    audit_dir: Path
    env: dict[str, str]

    @property
    def base_url(self) -> str:
        return f"{self.service.url}/v1"

    @property
    def org_id(self) -> str:
        return ORG

    @property
    def credentials(self) -> dict[str, str]:
        return {} if self.mode == "community" else {"Authorization": basic(CLIENT, CLIENT_SECRET)}

    @property
    def headers(self) -> dict[str, str]:
        """Credentials as this mode asks for them, and a provider key."""
        return {**self.credentials, "X-Provider-Key": PROVIDER_KEY}

    def post(
        self,
        body: bytes | Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        path: str = "/v1/chat/completions",
    ) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(self.headers if headers is None else headers)}
        return request(f"{self.service.url}{path}", "POST", sent, data)

    def chat(self, text: str, **more: Any) -> Answer:
        return self.post({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **more})

    def rows(self, table: str, decision_id: str) -> list[dict[str, Any]]:
        return rows(self.database_url, table, decision_id)

    def rows_all(self, table: str) -> list[dict[str, Any]]:
        return rows(self.database_url, table)


def request(
    url: str, method: str, headers: Mapping[str, str], body: bytes | None = None, timeout_s: float = 30
) -> Answer:
    """One HTTP exchange; a refusal is an answer like any other."""
    asked = urllib.request.Request(url, data=body, headers=dict(headers), method=method)
    try:
        with urllib.request.urlopen(asked, timeout=timeout_s) as answer:
            return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


def rows(database_url: str, table: str, decision_id: str | None = None, *, org_id: str = ORG) -> list[dict[str, Any]]:
    """Rows of an audit table that the application role sees for ``org_id``, oldest first."""
    key = {"audit_logs": "decision_id", "llm_call_audits": "id"}[table]
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        connection.execute("SET ROLE axonflow_app")
        connection.execute("SELECT set_config('app.current_org_id', %s, false)", (org_id,))
        where = "" if decision_id is None else f"WHERE {key}::text = %s"
        parameters = () if decision_id is None else (decision_id,)
        return connection.execute(f"SELECT * FROM {table} {where} ORDER BY created_at", parameters).fetchall()


def wait_for_rows(database_url: str, table: str, wanted: int, timeout_s: float = 30.0) -> list[dict[str, Any]]:
    """The rows of ``table`` once there are at least ``wanted`` of them."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = rows(database_url, table)
        if len(found) >= wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def gateway_env(database_url: str, upstream: Upstream, mode: str, audit_dir: Path) -> dict[str, str]:
    """The environment of an agent in ``mode``."""
    env = {
        "DATABASE_URL": database_url,
        "DEPLOYMENT_MODE": mode,
        "ORG_ID": ORG,
        "OPENAI_BASE_URL": upstream.base_url,
        "AUDIT_FALLBACK_PATH": str(audit_dir / "audit_fallback.jsonl"),
        "ADMIN_API_KEY": ADMIN_KEY,
        "JWT_SECRET": JWT_SECRET,
        # Tests read rows at once: on a busy machine the usual 250 ms would put some of them in the file first.
        "AUDIT_COMMIT_WAIT_MS": "10000",
    }
    if mode != "community":
        env |= {
            "AXONFLOW_BOOTSTRAP_CLIENT": f"{CLIENT}:{CLIENT_SECRET}",
            "AXONFLOW_INTERNAL_SERVICE_SECRET": INTERNAL_SECRET,
        }
    return env


@contextlib.contextmanager
def running_gateway(
    database_url: str, upstream: Upstream, directory: Path, mode: str = "community", **env: str
) -> Iterator[Gateway]:
    """An agent in ``mode``; keywords are further environment variables."""
    audit_dir = directory / "audit"
    audit_dir.mkdir(parents=True, exist_ok=True)
    environ = gateway_env(database_url, upstream, mode, audit_dir) | env
    with running_service("axonflow_agent", environ, directory / "agent.log") as service:
        gateway = Gateway(service, upstream, mode, database_url, audit_dir, environ)
        try:
            yield gateway
        finally:
            if gateway.service is not service:  # a test that killed it started an heir
                gateway.service.kill()
