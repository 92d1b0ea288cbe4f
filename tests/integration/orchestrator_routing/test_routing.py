"""Weights over HTTP: who may set them, what is recorded, and that every replica follows and a restart keeps them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from axonflow_contracts.caller import User
from axonflow_guards import RateLimiter
from axonflow_orchestrator.routing.opening import SharedLimiter
from axonflow_orchestrator.routing.wishes import Candidate, NoRoute, Wish
from axonflow_providers import ModelRequest
from support.postgres import Server
from support.record import BROKERS, ORG, RIVAL, TELLERS, Record, running_record
from support.routing import PROMPT, Configured

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATUS, SHARES, ROUTING = "/api/v1/providers/status", "/api/v1/providers/weights", "/api/v1/llm-providers/routing"
SETTINGS = {
    "OPENAI_API_KEY": "sk-canary-openai",
    "MISTRAL_API_KEY": "sk-canary-mistral",
    "OLLAMA_ENDPOINT": "http://127.0.0.1:9",
    "PROVIDER_WEIGHTS": "openai:50,mistral:30,ollama:20",
    "LLM_DENIED_MODELS": "gpt-3*",
    "LLM_RETRY_BASE_MS": "0",
    "AXONFLOW_LLM_HEALTH_PROBES": "false",
}
DEVELOPER = msgspec.structs.replace(TELLERS, user=User(id="7", email="dev@acme.example", role="developer"))
ADMIN = msgspec.structs.replace(TELLERS, user=User(id="8", email="ann@acme.example", role="admin"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def replicas(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Record]]:
    directory = tmp_path_factory.mktemp("routing")
    async with contextlib.AsyncExitStack() as stack:
        url = stack.enter_context(postgres_server.database())
        yield [
            await stack.enter_async_context(running_record(url, directory / name, **SETTINGS))
            for name in ("one", "two")
            if not (directory / name).mkdir()
        ]


async def weights(record: Record, caller: Any = TELLERS) -> dict[str, float]:
    answer = await record.ask("GET", STATUS, caller=caller)
    assert answer.status == 200, answer.body
    return {name: state["weight"] for name, state in answer.json.items()}


async def changes(record: Record) -> list[tuple[Any, ...]]:
    statement = (
        "SELECT user_email, metadata FROM audit_logs WHERE request_type = 'llm_routing_change' ORDER BY created_at"
    )
    async with record.orchestrator.database.tenant(ORG) as connection:
        return await (await connection.execute(statement)).fetchall()


async def test_the_status_names_enabled_providers_and_no_key(replicas: list[Record]) -> None:
    answer = await replicas[0].ask("GET", STATUS, caller=RIVAL)
    assert set(answer.json) == {"openai", "mistral", "ollama"}
    assert answer.json["openai"] == {
        "name": "openai",
        "healthy": True,
        "weight": 0.5,
        "request_count": 0,
        "error_count": 0,
        "avg_latency_ms": 0.0,
        "last_used": None,
    }
    assert b"canary" not in answer.body


async def test_a_change_is_recorded_acts_on_every_replica_and_on_no_other_organisation(replicas: list[Record]) -> None:
    one, two = replicas
    before = len(await changes(one))
    answer = await one.ask("PUT", SHARES, {"openai": 0.6, "mistral": 0.3, "ollamma": 0}, caller=ADMIN)
    assert (answer.status, answer.json["status"]) == (200, "success")
    assert "ollamma" in answer.json["message"]
    expected = {"openai": 0.6, "mistral": 0.3, "ollama": 0.1}
    assert await weights(one) == expected
    async with asyncio.timeout(10):
        while await weights(two) != expected:
            await asyncio.sleep(0.02)
    assert await weights(one, RIVAL) == {"openai": 0.5, "mistral": 0.3, "ollama": 0.2}
    assert (await one.ask("GET", ROUTING)).json == {"weights": {"openai": 60, "mistral": 30, "ollama": 10}}
    [(email, metadata)] = (await changes(one))[before:]
    assert email == "ann@acme.example"
    assert metadata["weights"]["openai"] == 0.6


async def test_a_restart_keeps_what_was_set(replicas: list[Record], tmp_path: Path) -> None:
    assert (await replicas[0].ask("PUT", ROUTING, {"weights": {"openai": 7, "mistral": 0}})).json == {
        "weights": {"openai": 7, "mistral": 0, "ollama": 20}
    }
    url = replicas[0].orchestrator.settings.database_url.reveal()
    async with running_record(url, tmp_path, **SETTINGS) as again:
        assert await weights(again) == {"openai": 0.259259, "mistral": 0.0, "ollama": 0.740741}
    assert (await replicas[0].ask("PUT", ROUTING, {"weights": {}})).json["weights"]["openai"] == 50


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (SHARES, {"openai": 1.5}),
        (SHARES, {"openai": -0.1}),
        (SHARES, {"openai": 0.6, "mistral": 0.5}),
        (SHARES, {"openai": "0.5"}),
        (SHARES, {"openai": True}),
        (SHARES, {}),
        (SHARES, {"a\nb": 0.5}),
        (SHARES, b'{"openai": 0.1, "openai": 0.2}'),
        (SHARES, b'{"openai": NaN}'),
        (SHARES, b"[]"),
        (ROUTING, {"weights": {"openai": -1}}),
        (ROUTING, {"weights": {"openai": 0.5}}),
        (ROUTING, {}),
        (ROUTING, {"weights": {f"p{number}": 1 for number in range(101)}}),
    ],
    ids=range(14),
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(replicas: list[Record], path: str, body: Any) -> None:
    before = await weights(replicas[0]), len(await changes(replicas[0]))
    answer = await replicas[0].ask("PUT", path, body)
    assert answer.status == 400
    assert answer.json["error"]["message"]
    assert (await weights(replicas[0]), len(await changes(replicas[0]))) == before


@pytest.mark.parametrize("path", [SHARES, ROUTING])
async def test_who_is_no_administrator_changes_nothing(replicas: list[Record], path: str) -> None:
    body = {"openai": 0.1} if path == SHARES else {"weights": {"openai": 1}}
    before = await weights(replicas[0])
    assert (await replicas[0].ask("PUT", path, body, caller=DEVELOPER)).status == 403
    assert (await replicas[0].ask("PUT", path, body, caller=None)).status == 401
    assert await weights(replicas[0]) == before


async def test_calls_are_routed_counted_for_their_tenant_and_for_nobody_else(replicas: list[Record]) -> None:
    router = replicas[0].orchestrator.router
    wish = Wish(org_id=ORG, tenant_id="tellers", provider="ollama", regions=None)
    route = await router.route(wish)
    assert route.reason == "ollama is named by the request"
    attempt = await router.attempt(route.candidates[0], ModelRequest(model="", messages=PROMPT, timeout_s=5))
    assert attempt.fault is not None  # nothing listens there
    assert router.may_fail_over(attempt)
    own, brokers, rivals = [
        (await replicas[0].ask("GET", STATUS, caller=caller)).json["ollama"] for caller in (TELLERS, BROKERS, RIVAL)
    ]
    assert (own["request_count"], own["error_count"]) == (len(attempt.tries), len(attempt.tries))
    assert own["last_used"] is not None
    assert brokers["request_count"] == rivals["request_count"] == 0
    page = (await replicas[0].ask("GET", "/prometheus", caller=None)).body.decode()
    assert f'llm_calls_total{{provider="ollama",status="error"}} {float(len(attempt.tries))}' in page


async def test_the_operators_deny_list_holds(replicas: list[Record]) -> None:
    with pytest.raises(NoRoute, match=r"gpt-3\.5-turbo is not allowed"):
        await replicas[0].orchestrator.router.route(Wish(org_id=ORG, tenant_id="tellers", model="gpt-3.5-turbo"))


async def test_a_limit_of_calls_a_minute_holds_over_all_replicas(replicas: list[Record]) -> None:
    moment = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
    provider = Configured(name="limited", rate_limit=5)
    candidate = Candidate(provider=provider, model="m", org_id="rival-bank", tenant_id="t")
    limiters = [SharedLimiter(RateLimiter(one.orchestrator.database, lambda: moment), ORG) for one in replicas]
    waits = [await limiters[number % 2].admit(candidate) for number in range(8)]
    assert [wait for wait in waits if wait is not None] == [30.0] * 3
    free = Candidate(provider=Configured(name="free"), model="m", org_id=ORG, tenant_id="t")
    assert await limiters[0].admit(free) is None


@pytest.mark.parametrize(("dear", "chosen"), [("openai", "mistral"), ("mistral", "openai")])
async def test_the_cheapest_is_so_by_the_prices_that_the_operator_gives(
    postgres_server: Server, tmp_path: Path, dear: str, chosen: str
) -> None:
    prices = {
        "LLM_ROUTING_STRATEGY": "cost_optimized",
        "LLM_PRICING_PROVIDER": dear,
        "LLM_PRICING_MODEL": "chosen-",
        "LLM_PRICING_INPUT": "5",
        "LLM_PRICING_OUTPUT": "5",
        "OPENAI_MODEL": "chosen-a",
        "MISTRAL_MODEL": "chosen-b",
        "LLM_PROVIDERS": "openai,mistral",
    }
    with postgres_server.database() as url:
        async with running_record(url, tmp_path, **{**SETTINGS, **prices}) as record:
            route = await record.orchestrator.router.route(Wish(org_id=ORG, tenant_id="tellers"))
    assert [candidate.provider.name for candidate in route.candidates] == [chosen, dear]
