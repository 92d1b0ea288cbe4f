"""The orchestrator on a real socket and a real database: who may call it, and what it answers until more lands."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from axonflow_agent.forward import Target
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter
from axonflow_orchestrator.app import create_app
from axonflow_orchestrator.resources import open_orchestrator
from axonflow_orchestrator.settings import OrchestratorSettings
from axonflow_settings import Secret, load
from axonflow_web import Stage
from support.agent_door import WHO, door
from support.postgres import Server
from support.serving import served

SECRET = "internal-secret-of-32-characters-"
PREVIOUS = "the-secret-before-the-last-change"
PLACES: dict[str, str] = {}
ENTERPRISE = {"DEPLOYMENT_MODE": "enterprise", "AXONFLOW_INTERNAL_SERVICE_SECRET": SECRET, "ORG_ID": "acme"}


@pytest.fixture(autouse=True)
def audit_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLACES, "AUDIT_FALLBACK_PATH", str(tmp_path / "audit_fallback.jsonl"))


@contextlib.asynccontextmanager
async def orchestrator(database_url: str, **environ: str) -> AsyncIterator[str]:
    settings = load(OrchestratorSettings, {"DATABASE_URL": database_url, **PLACES, **environ})
    async with open_orchestrator(settings) as opened, served(create_app(opened)) as port:
        opened.lifecycle.stage = Stage.SERVING
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def token(method: str, target: str, body: bytes = b"", *, secret: str = SECRET, audience: str = "orchestrator") -> str:
    return TokenMinter(Secret(secret), "agent").mint(
        audience=audience, caller=WHO, method=method, target=target, body=body
    )


async def ask(
    client: aiohttp.ClientSession, url: str, method: str = "GET", token_: str = "", body: bytes = b""
) -> tuple[int, Any]:
    headers = {TOKEN_HEADER: token_} if token_ else {}
    async with client.request(method, url, headers=headers, data=body or None) as reply:
        return reply.status, await reply.json()


NOT_LANDED = {
    "/api/v1/plan": {"success": False, "error": "Not implemented: /api/v1/plan is not part of this release yet"},
    "/api/v1/workflows/w1": {
        "error": "not_implemented",
        "code": "NOT_IMPLEMENTED",
        "message": "Not implemented: /api/v1/workflows is not part of this release yet",
    },
    "/api/v1/budgets": {
        "error": {
            "code": "NOT_IMPLEMENTED",
            "message": "Not implemented: /api/v1/budgets is not part of this release yet",
        }
    },
}


async def test_enterprise_takes_signed_calls_only(database_url: str, client: aiohttp.ClientSession):
    async with orchestrator(database_url, **ENTERPRISE) as url:
        for path, body in NOT_LANDED.items():
            assert (await ask(client, url + path))[0] == 401
            assert await ask(client, url + path, token_=token("GET", path)) == (501, body)


async def test_community_takes_calls_without_a_token_but_not_with_a_wrong_one(
    database_url: str, client: aiohttp.ClientSession
):
    async with orchestrator(database_url) as url:
        for path, body in NOT_LANDED.items():
            assert await ask(client, url + path) == (501, body)
            assert (await ask(client, url + path, token_=token("GET", path, secret="x" * 32)))[0] == 401


@pytest.mark.parametrize(
    ("path", "signed"),
    [("/api/v1/process", 501), ("/api/v1/mcp/evaluate-policies", 200), ("/mcp/evaluate-policies", 200)],
)
async def test_community_takes_no_governed_work_without_a_token(
    database_url: str, client: aiohttp.ClientSession, path: str, signed: int
):
    async with orchestrator(database_url, AXONFLOW_INTERNAL_SERVICE_SECRET=SECRET) as url:
        assert (await ask(client, url + path, "POST", body=b"{}"))[0] == 401
        assert (await ask(client, url + path, "POST", token("POST", path, b"{}"), b"{}"))[0] == signed


PLAN = "/api/v1/plan"
DECISIONS = "/api/v1/decisions"
BODY = b'{"query":"x"}'
ALTERED = {
    "another secret": (token("POST", PLAN, BODY, secret="y" * 32), PLAN, BODY),
    "another audience": (token("POST", PLAN, BODY, audience="portal"), PLAN, BODY),
    "another body": (token("POST", PLAN, b"{}"), PLAN, BODY),
    "another path": (token("POST", "/api/v1/plans", BODY), PLAN, BODY),
    "another query": (token("POST", PLAN, BODY), PLAN + "?admin=true", BODY),
    "another method": (token("PUT", PLAN, BODY), PLAN, BODY),
    "garbage": ("v1.garbage.garbage", PLAN, BODY),
    "64 KiB": ("v1." + "A" * 65_536 + ".A", PLAN, BODY),
}


@pytest.mark.parametrize("name", ALTERED)
async def test_a_token_that_does_not_fit_is_401_with_its_cause(
    database_url: str, client: aiohttp.ClientSession, name: str
):
    text, path, body = ALTERED[name]
    async with orchestrator(database_url, **ENTERPRISE) as url:
        status, answered = await ask(client, url + path, "POST", text, body)
    assert status == 401
    assert answered["error"].startswith("Authentication failed: the internal token ")


@pytest.mark.parametrize(("method", "second"), [("POST", 401), ("GET", 501)])
async def test_a_token_is_good_once_on_all_replicas_for_calls_that_write(
    database_url: str, client: aiohttp.ClientSession, method: str, second: int
):
    body = BODY if method == "POST" else b""
    text = token(method, PLAN, body)
    async with orchestrator(database_url, **ENTERPRISE) as one, orchestrator(database_url, **ENTERPRISE) as other:
        assert (await ask(client, one + PLAN, method, text, body))[0] == 501
        assert (await ask(client, one + PLAN, method, text, body))[0] == 401
        assert (await ask(client, other + PLAN, method, text, body))[0] == second


async def test_the_secret_before_the_last_rotation_is_accepted(database_url: str, client: aiohttp.ClientSession):
    text = token("GET", PLAN, secret=PREVIOUS)
    async with orchestrator(
        database_url, **ENTERPRISE, AXONFLOW_INTERNAL_SERVICE_SECRET_PREVIOUS=PREVIOUS
    ) as url:  # fmt: skip
        assert (await ask(client, url + PLAN, token_=text))[0] == 501


async def test_a_call_through_the_agent_is_answered_in_the_orchestrators_words(
    database_url: str, client: aiohttp.ClientSession
):
    async with (
        orchestrator(database_url, **ENTERPRISE) as behind,
        door({Target.ORCHESTRATOR: behind}, secret=Secret(SECRET)) as port,
    ):
        for path, body in NOT_LANDED.items():
            method = "POST" if path == PLAN else "GET"
            sent = BODY if path == PLAN else b""
            assert await ask(client, f"http://127.0.0.1:{port}{path}", method, body=sent) == (501, body)


async def test_an_agent_with_another_secret_is_told_so(database_url: str, client: aiohttp.ClientSession):
    async with (
        orchestrator(database_url, **ENTERPRISE) as behind,
        door({Target.ORCHESTRATOR: behind}, secret=Secret("z" * 32)) as port,
    ):
        status, body = await ask(client, f"http://127.0.0.1:{port}{PLAN}", "POST", body=BODY)
    assert status == 401
    assert "AXONFLOW_INTERNAL_SERVICE_SECRET" in body["error"]


async def test_health_is_open_and_advertises_what_clients_read(database_url: str, client: aiohttp.ClientSession):
    async with orchestrator(database_url, **ENTERPRISE) as url:
        status, body = await ask(client, url + "/health")
        assert (status, body["status"], body["service"]) == (200, "healthy", "axonflow-orchestrator")
        assert body["version"] == "8.4.0"
        assert body["sdk_compatibility"]["recommended_sdk_version"]["python"] == "8.3.0"
        assert body["sdk_compatibility"]["recommended_sdk_version"]["rust"] == "0.5.0"
        assert "rust" not in body["sdk_compatibility"]["min_sdk_version"]
        assert body["plugin_compatibility"]["recommended_plugin_version"]["openclaw"] == "2.6.1"
        assert {"name", "since", "description"} == set(body["capabilities"][0])
        assert [name for name, ready in body["components"].items() if ready] == ["audit_logger"]
        assert await ask(client, url + "/ready") == (
            200,
            {"status": "ready", "service": "axonflow-orchestrator", "blocking": [], "degraded": []},
        )
        async with client.get(url + "/prometheus") as reply:
            assert (reply.status, "axonflow_http_refused" in await reply.text()) == (200, True)


async def test_ready_is_503_while_draining_and_health_is_starting_before_serving(
    database_url: str, client: aiohttp.ClientSession
):
    settings = load(OrchestratorSettings, {"DATABASE_URL": database_url, **PLACES})
    async with open_orchestrator(settings) as opened, served(create_app(opened)) as port:
        url = f"http://127.0.0.1:{port}"
        assert (await ask(client, url + "/health"))[1]["status"] == "starting"
        opened.lifecycle.stage = Stage.DRAINING
        status, body = await ask(client, url + "/ready")
        assert (status, body["blocking"]) == (503, ["draining"])


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"AXONFLOW_INTERNAL_SERVICE_SECRET": "s" * 31}, "AXONFLOW_INTERNAL_SERVICE_SECRET must be at least 32"),
        ({"AXONFLOW_INTERNAL_SERVICE_SECRET": ""}, "AXONFLOW_INTERNAL_SERVICE_SECRET is not set"),
        ({"DEPLOYMENT_MODE": "production"}, "DEPLOYMENT_MODE must be one of"),
    ],
)
def test_a_process_with_unusable_settings_does_not_start(environ: dict[str, str], sentence: str):
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    command = [sys.executable, "-m", "axonflow_orchestrator"]
    ended = subprocess.run(
        command,
        env={**inherited, **ENTERPRISE, "DATABASE_URL": "unused", **environ},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(sentence)


async def test_without_postgres_reading_goes_on_and_writing_is_503(
    chaos_server: Server, chaos_database_url: str, client: aiohttp.ClientSession
):
    async with orchestrator(chaos_database_url, **ENTERPRISE) as url:
        chaos_server.stop("immediate")
        assert (await ask(client, url + PLAN, token_=token("GET", PLAN)))[0] == 501
        status, body = await ask(client, url + PLAN, "POST", token("POST", PLAN, BODY), BODY)
        assert (status, body["success"]) == (503, False)
        status, body = await ask(client, url + DECISIONS, token_=token("GET", DECISIONS))
        assert (status, "cannot be read" in body["error"]) == (503, True)
        status, body = await ask(client, url + "/ready")
        assert (status, body["status"], body["degraded"]) == (200, "degraded", ["database"])
        chaos_server.start()
        assert (await ask(client, url + PLAN, "POST", token("POST", PLAN, BODY), BODY))[0] == 501
