"""The running compose stack that ``make test-compose`` hands to the tests in ``tests/e2e/compose``."""

from __future__ import annotations

import base64
import dataclasses
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg

STACK_VARIABLE = "AXONFLOW_TEST_STACK"
SERVICES = {"axonflow-agent": "agent_url", "axonflow-orchestrator": "orchestrator_url", "customer-portal": "portal_url"}
WAIT_S = 120.0


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """What came back for a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ComposeStack:
    """One compose project and the addresses it is reached at."""

    compose: list[str]
    environment: dict[str, str]
    agent_url: str
    orchestrator_url: str
    portal_url: str
    upstream_url: str
    overlay: str

    @classmethod
    def read(cls, path: Path) -> ComposeStack:
        return cls(**json.loads(path.read_text()))

    def run(self, *arguments: str, overlay: bool = False, **environ: str) -> subprocess.CompletedProcess[str]:
        """Compose on this project, its output kept; with ``overlay`` the enterprise file is laid over it."""
        files = ["--file", self.overlay] if overlay else []
        return subprocess.run(
            [*self.compose, *files, *arguments],
            env={**self.environment, **environ},
            check=False,
            text=True,
            capture_output=True,
        )

    def container(self, service: str) -> str:
        """The id of a service's container."""
        return self.run("ps", "--all", "--quiet", service).stdout.strip()

    def inspect(self, service: str) -> Any:
        """What the engine knows of a service's container."""
        asked = ["docker", "inspect", self.container(service)]
        done = subprocess.run(asked, env=self.environment, check=True, text=True, capture_output=True)
        return json.loads(done.stdout)[0]

    def await_health(self) -> None:
        """Return when all three services answer."""
        for attribute in SERVICES.values():
            url = f"{getattr(self, attribute)}/health"
            until(lambda url=url: request("GET", url).status == 200)

    def chat(self, content: str, headers: Mapping[str, str] | None = None, **members: Any) -> Reply:
        """A chat completion through the agent, with one user message."""
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": content}], **members}
        named = {"X-Provider-Key": "sk-compose-test"} if headers is None else headers
        return request("POST", f"{self.agent_url}/v1/chat/completions", json.dumps(body).encode(), named)

    def received(self) -> list[dict[str, Any]]:
        """What the upstream got since it started, bodies as bytes."""
        kept = request("GET", f"{self.upstream_url}/received").json()
        return [{**one, "body": base64.b64decode(one["body"])} for one in kept]

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows as the database's owner sees them, through the port bound to loopback."""
        password = self.environment.get("DATABASE_PASSWORD", "localdev123")
        port = self.environment["POSTGRES_PORT"]
        url = f"postgresql://axonflow:{password}@127.0.0.1:{port}/axonflow"
        with psycopg.connect(url, connect_timeout=10) as connection:
            return connection.execute(statement, values).fetchall()  # type: ignore[call-overload,no-any-return] # tests

    @property
    def database_answers(self) -> bool:
        """Whether PostgreSQL takes connections; after a start it needs a moment."""
        try:
            return self.query("SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            return False


def request(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    """One HTTP request; status 0 when nobody answered."""
    named = {"Content-Type": "application/json", **(headers or {})}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, named, method=method), timeout=30) as reply:
            return Reply(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, {name.lower(): value for name, value in error.headers.items()}, error.read())
    except OSError:
        return Reply(0, {}, b"")


def until(holds: Callable[[], bool], timeout_s: float = WAIT_S) -> None:
    """Return as soon as ``holds`` does; fails after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"still not so after {timeout_s:.0f} s"
        time.sleep(0.3)
