"""Providers while services run: replicas, probes, limits, missing keys, and a database that is away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from axonflow_providers import Message, ModelRequest, Role
from axonflow_settings import SettingsError
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from support.provider_upstream import answering, provider_upstream
from support.record import ORG, TELLERS, Record, running_record

BASE = "/api/v1/llm-providers"
KEY = "5e" * 32
LOOPBACK = {"AXONFLOW_SEALING_KEY": KEY, "AXONFLOW_EGRESS_ALLOW": "127.0.0.1"}
MODELS = {"object": "list", "data": []}


def body(url: str, name: str = "near", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "custom", "endpoint": f"{url}/v1", "model": "small", "api_key": "sk-x", **more}


async def eventually(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(15):
        while not await true():
            await asyncio.sleep(0.02)


async def names(record: Record, org_id: str = ORG, tenant_id: str = "tellers") -> list[str]:
    return [each.name for each in await record.orchestrator.providers.source.providers_for(org_id, tenant_id)]


async def test_a_fresh_install_has_the_demo_alone_until_something_real_is_configured(
    database_url: str, tmp_path: Path
) -> None:
    async with running_record(database_url, tmp_path, "community", **LOOPBACK) as record:
        source = record.orchestrator.providers.source
        [demo] = await source.providers_for(ORG, "community")
        assert (demo.name, demo.source, demo.enabled) == ("demo", "built_in", True)
        asked = ModelRequest(model="demo", messages=(Message(role=Role.USER, text="hello"),))
        assert "demo" in (await demo.provider.complete(asked)).text
        listed = (await record.ask("GET", BASE, caller=None)).json["providers"]
        assert [(each["name"], each["read_only"]) for each in listed] == [("demo", True)]
        assert (await record.ask("POST", BASE, body("http://127.0.0.1:9"), caller=None)).status == 201
        await eventually(lambda: _is(record, ["near"], "community"))
        assert [each.name for each in await source.providers_for(ORG, "community", named="demo")] == ["demo", "near"]
        assert [each["name"] for each in (await record.ask("GET", BASE, caller=None)).json["providers"]] == ["near"]


async def _is(record: Record, expected: list[str], tenant_id: str = "tellers") -> bool:
    return await names(record, tenant_id=tenant_id) == expected


async def test_the_allow_list_switches_off_what_it_leaves_out_and_keeps_the_demo_where_it_names_it(
    database_url: str, tmp_path: Path
) -> None:
    environ = {"OPENAI_API_KEY": "sk-1", "MISTRAL_API_KEY": "sk-2", "LLM_PROVIDERS": "openai,demo"}
    async with running_record(database_url, tmp_path, **environ) as record:
        found = await record.orchestrator.providers.source.providers_for(ORG, "tellers")
        assert [(each.name, each.enabled) for each in found] == [("demo", True), ("mistral", False), ("openai", True)]
        listed = {each["name"]: each for each in (await record.ask("GET", BASE)).json["providers"]}
        assert (listed["mistral"]["enabled"], listed["mistral"]["admitted"]) == (True, False)
        # A type's own address on this machine is one for the operator to give.
        local = await record.ask("POST", BASE, {"name": "local", "type": "ollama"})
        assert (local.status, "endpoint cannot be used" in local.json["error"]["message"]) == (400, True)


async def test_every_replica_acts_on_a_change_within_moments_and_goes_on_without_the_database(
    database_url: str, tmp_path: Path
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        here, there = [
            await stack.enter_async_context(running_record(database_url, tmp_path / side, **LOOPBACK))
            for side in ("here", "there")
            if not (tmp_path / side).mkdir()
        ]
        assert await names(there) == ["demo"]
        assert (await here.ask("POST", BASE, body("http://127.0.0.1:9"))).status == 201
        await eventually(lambda: _is(there, ["near"]))
        assert await names(there, tenant_id="brokers") == ["demo"]
        assert await names(there, org_id="rival-bank") == ["demo"]
        [first] = await there.orchestrator.providers.source.providers_for(ORG, "tellers")
        assert (await here.ask("PUT", f"{BASE}/near", {"weight": 3})).status == 200

        async def follows() -> bool:
            [second] = await there.orchestrator.providers.source.providers_for(ORG, "tellers")
            return second.weight == 3 and second.version == first.version + 1

        await eventually(follows)
        with _away(database_url):
            await asyncio.sleep(1.2)  # a look at the revision falls into it
            assert await names(there) == ["near"]
        assert (await here.ask("DELETE", f"{BASE}/near")).status == 204
        await eventually(lambda: _is(there, ["demo"]))


@contextlib.contextmanager
def _away(database_url: str) -> Iterator[None]:
    """The database takes nobody in, and puts out who is in it."""
    name = str(conninfo_to_dict(database_url)["dbname"])
    with psycopg.connect(database_url, dbname="postgres", autocommit=True) as owner:
        owner.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            owner.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))


async def test_a_provider_that_fails_again_and_again_is_unhealthy_and_one_that_comes_back_is_not(
    database_url: str, tmp_path: Path
) -> None:
    async with provider_upstream(answering(MODELS)) as upstream:
        probes = {"AXONFLOW_LLM_HEALTH_INTERVAL": "50ms", "OPENAI_API_KEY": "sk-1"}
        operators = {"OPENAI_BASE_URL": f"{upstream.url}/v1"}
        async with running_record(database_url, tmp_path, **LOOPBACK, **probes, **operators) as record:
            assert (await record.ask("POST", BASE, body(upstream.url))).status == 201
            assert (await record.ask("POST", BASE, body(upstream.url, "off", enabled=False))).status == 201
            await eventually(lambda: _states(record, {"near": "healthy", "openai": "healthy", "off": "unknown"}))
            upstream.script = answering({"error": {"message": "sk-x is overloaded"}}, status=500)
            await eventually(lambda: _states(record, {"near": "unhealthy", "openai": "unhealthy", "off": "unknown"}))
            near = (await record.ask("GET", f"{BASE}/near/health")).json
            assert near["message"]
            assert "sk-x" not in near["message"]
            kept = await _kept(record)
            assert {status for _, status, _ in kept} == {"unhealthy"}
            assert {failures >= 3 for _, _, failures in kept} == {True}
            assert len(kept) == 2
            upstream.script = answering(MODELS)
            await eventually(lambda: _states(record, {"near": "healthy", "openai": "healthy", "off": "unknown"}))
            assert (await record.ask("DELETE", f"{BASE}/near")).status == 204
            await eventually(lambda: _kept_are(record, {"environment:openai"}))


async def _states(record: Record, expected: dict[str, str]) -> bool:
    answer = (await record.ask("GET", f"{BASE}/status")).json
    return {each["name"]: each["status"] for each in answer["providers"]} == expected


async def _kept(record: Record) -> list[tuple[Any, ...]]:
    async with record.orchestrator.database.tenant(ORG) as connection:
        statement = "SELECT provider, status, consecutive_failures FROM llm_provider_health"
        return await (await connection.execute(statement)).fetchall()


async def _kept_are(record: Record, expected: set[str]) -> bool:
    return {row[0] for row in await _kept(record)} == expected


async def test_what_calls_find_is_known_and_kept_although_nobody_probes(database_url: str, tmp_path: Path) -> None:
    off = {"AXONFLOW_LLM_HEALTH_PROBES": "false", "AXONFLOW_LLM_HEALTH_INTERVAL": "50ms", "OPENAI_API_KEY": "sk-1"}
    async with provider_upstream(answering(MODELS)) as upstream:
        environ = {**off, "OPENAI_BASE_URL": f"{upstream.url}/v1"}
        async with running_record(database_url, tmp_path, **environ) as record:
            source = record.orchestrator.providers.source
            [openai] = await source.providers_for(ORG, "tellers")
            assert source.health_of(openai).status == "unknown"
            for _ in range(3):
                source.on_health(openai, healthy=False, message="It does not answer")
            assert source.health_of(openai).status == "unhealthy"
            await eventually(lambda: _kept_are(record, {"environment:openai"}))
            assert upstream.asked == []


async def test_an_edition_has_room_for_so_many_even_at_the_same_time(database_url: str, tmp_path: Path) -> None:
    async with running_record(database_url, tmp_path, "community", **LOOPBACK, OPENAI_API_KEY="sk-1") as record:
        answers = await asyncio.gather(
            *(record.ask("POST", BASE, body("http://127.0.0.1:9", f"n{number}"), caller=None) for number in range(5))
        )
        assert sorted(answer.status for answer in answers) == [201, 201, 403, 403, 403]
        [full] = {answer.json["error"]["message"] for answer in answers if answer.status == 403}
        assert full == "LLM provider limit reached (2 max for COMMUNITY)"


async def test_a_key_that_cannot_be_opened_takes_its_provider_out_and_says_so(
    database_url: str, tmp_path: Path
) -> None:
    async with running_record(database_url, tmp_path, **LOOPBACK) as record:
        assert (await record.ask("POST", BASE, body("http://127.0.0.1:9"))).status == 201
    lost = {**LOOPBACK, "AXONFLOW_SEALING_KEY": "6f" * 32}
    async with running_record(database_url, tmp_path, **lost) as record:
        assert await names(record) == []  # and no demo either: somebody meant a real provider to answer
        health = (await record.ask("GET", f"{BASE}/near/health")).json
        assert (health["status"], "sealing key" in health["message"]) == ("unhealthy", True)
        tried = await record.ask("POST", f"{BASE}/near/test", {})
        assert (tried.status, tried.json["success"]) == (503, False)
        assert (await record.ask("PUT", f"{BASE}/near", {"weight": 2})).status == 503
        mended = await record.ask("PUT", f"{BASE}/near", {"api_key": "sk-new"})
        assert mended.status == 200, mended.body
        await eventually(lambda: _is(record, ["near"]))


async def test_a_configuration_that_cannot_be_used_refuses_the_start_and_names_every_fault(
    database_url: str, tmp_path: Path
) -> None:
    secret = "sk-canary-in-a-file"
    file = tmp_path / "providers.toml"
    file.write_text(f'[llm_providers.far]\ntype = "telegraph"\napi_key = "{secret}"\n')
    environ = {"AXONFLOW_LLM_CONFIG_FILE": str(file), "AZURE_OPENAI_API_KEY": "key-of-azure-xyz"}
    with pytest.raises(SettingsError) as raised:
        async with running_record(database_url, tmp_path, **environ):
            pass
    told = " ".join(raised.value.faults)
    assert "telegraph" in told
    assert "endpoint" in told
    assert not [each for each in (secret, "key-of-azure-xyz") if each in told]


async def test_a_file_outranks_the_environment_and_is_read_only(database_url: str, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(" sk-from-a-file \n")
    whole, own = tmp_path / "whole.json", tmp_path / "own.toml"
    whole.write_text(
        '{"llm_providers": {"openai": {"model": "of-the-whole"}, "second": {"type": "openai", "api_key": "k"}}}'
    )
    own.write_text(
        f'[llm_providers.openai]\nmodel = "of-its-own"\napi_key_file = "{key_file}"\npriority = 5\n'
        'settings = { regions = ["eu"], allowed_models = ["gpt-4o*"] }\n'
    )
    whole.write_text(whole.read_text().replace('"of-the-whole"', '"of-the-whole", "api_key": "k"'))
    environ = {"AXONFLOW_CONFIG_FILE": str(whole), "AXONFLOW_LLM_CONFIG_FILE": str(own), "OPENAI_API_KEY": "sk-1"}
    async with running_record(database_url, tmp_path, **environ) as record:
        openai, second = await record.orchestrator.providers.source.providers_for(ORG, "tellers")
        assert (openai.config.model, openai.source, openai.priority) == ("of-its-own", "file", 5)
        assert (openai.regions, openai.allowed_models) == (frozenset({"eu"}), ("gpt-4o*",))
        assert openai.config.api_key is not None
        assert openai.config.api_key.reveal() == "sk-from-a-file"
        assert (second.name, second.pricing) == ("second", "openai")
        refused = await record.ask("DELETE", f"{BASE}/openai", caller=TELLERS)
        assert (refused.status, "file" in refused.json["error"]["message"]) == (403, True)
