"""Defining model providers: what is taken, what is refused, what is kept, and what nobody is ever shown."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axonflow_contracts.caller import Caller, CallerKind
from support.postgres import Server
from support.provider_upstream import Answering, Asked, ProviderUpstream, answering, provider_upstream
from support.record import BROKERS, ORG, RIVAL, TELLERS, Record, Reply, running_record

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "5e" * 32
BASE = "/api/v1/llm-providers"
CANARY = "sk-canary-provider-key-81f3"
OPERATORS_KEY = "sk-canary-operator-key-77aa"
OPERATOR = Caller(org_id=ORG, tenant_id="", client_id="portal", kind=CallerKind.SERVICE)


def completion(asked: Asked) -> Answering:
    """What a server of chat completions answers; without a key it refuses."""
    if "authorization" not in {name.lower() for name in asked.headers}:
        return answering({"error": {"message": "no key", "code": "invalid_api_key"}}, status=401)
    if asked.method == "GET":
        return answering({"object": "list", "data": [{"id": "small", "object": "model"}]})
    said = "Her number is SSN 123-45-6789." if asked.json["model"] == "leaking" else "ready"
    return answering(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": asked.json["model"],
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}},
            ],
            "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
        }
    )


@dataclasses.dataclass(frozen=True)
class Place:
    """An orchestrator whose operator configured ``openai``, and the provider behind everything."""

    record: Record
    upstream: ProviderUpstream
    url: str
    directory: Path
    environ: dict[str, str]

    async def ask(self, method: str, path: str = "", body: Any = None, caller: Caller = TELLERS) -> Reply:
        return await self.record.ask(method, f"{BASE}{path}", body, caller=caller)

    async def create(self, name: str, caller: Caller = TELLERS, **more: Any) -> Reply:
        body = {"name": name, "type": "custom", "endpoint": f"{self.upstream.url}/v1", "api_key": CANARY, **more}
        return await self.ask("POST", body={"model": "small", **body}, caller=caller)

    async def names(self, caller: Caller) -> list[str]:
        return [each["name"] for each in (await self.ask("GET", caller=caller)).json["providers"]]

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.record.orchestrator.database.tenant(ORG) as connection:
            return await (await connection.execute(statement)).fetchall()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    directory = tmp_path_factory.mktemp("orchestrator")
    async with provider_upstream(completion) as upstream:
        environ = {
            "AXONFLOW_SEALING_KEY": KEY,
            "AXONFLOW_EGRESS_ALLOW": "127.0.0.1",
            "OPENAI_API_KEY": f" {OPERATORS_KEY}\n",
            "OPENAI_BASE_URL": f"{upstream.url}/v1",
            "AXONFLOW_LLM_HEALTH_PROBES": "false",
        }
        with postgres_server.database() as url:
            async with running_record(url, directory, **environ) as record:
                yield Place(record, upstream, url, directory, environ)


def code(answer: Reply) -> str:
    return str(answer.json["error"]["code"])


async def test_a_life_leaves_a_row_a_change_and_shows_no_key(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seen = [await place.create("life", settings={"regions": ["EU"], "allowed_models": ["small*"]}, rate_limit=60)]
    assert seen[0].status == 201, seen[0].body
    shown = seen[0].json
    assert (shown["has_api_key"], shown["source"], shown["rate_limit"], shown["priority"], shown["weight"]) == (
        (True, "database", 60, 100, 100)
    )
    assert (shown["timeout_seconds"], shown["health"]["status"]) == (30, "unknown")
    assert shown["settings"] == {"regions": ["EU"], "allowed_models": ["small*"]}
    seen.append(await place.ask("GET", "/life"))
    assert seen[-1].json == shown
    seen.append(await place.ask("POST", "/life/test", {"prompt": "say ready, canary-prompt-5a"}))
    assert seen[-1].status == 200, seen[-1].body
    assert (seen[-1].json["success"], seen[-1].json["response"], seen[-1].json["provider"]) == (True, "ready", "life")
    assert seen[-1].json["latency_ms"] > 0
    assert place.upstream.asked[-1].headers["Authorization"] == f"Bearer {CANARY}"
    seen.append(await place.ask("PUT", "/life", {"enabled": False, "weight": 7, "rate_limit": 0}))
    assert (seen[-1].json["enabled"], seen[-1].json["weight"], seen[-1].json["version"]) == (False, 7, 2)
    assert "rate_limit" not in seen[-1].json
    assert seen[-1].json["has_api_key"]
    seen += [await place.ask("GET"), await place.ask("GET", "/status"), await place.ask("GET", "/life/health")]
    assert seen[-1].json["status"] == "healthy"
    stored = await place.rows("SELECT to_jsonb(p)::text FROM llm_providers p")
    assert stored
    assert (await place.ask("DELETE", "/life")).status == 204
    assert code(await place.ask("DELETE", "/life")) == "NOT_FOUND"
    rows = await place.rows(
        "SELECT to_jsonb(a)::text, request_type, metadata->>'change' FROM audit_logs a"
        " WHERE metadata->>'provider' = 'life' ORDER BY created_at"
    )
    assert [row[1:] for row in rows] == [
        ("llm_provider_change", "created"),
        ("llm_provider_test", None),
        ("llm_provider_change", "updated"),
        ("llm_provider_change", "deleted"),
    ]
    texts = [answer.body.decode() for answer in seen] + [str(row) for row in [*stored, *rows]] + [caplog.text]
    planted = (CANARY, CANARY.encode().hex(), OPERATORS_KEY, "canary-prompt-5a")
    assert not [text for text in texts for plant in planted if plant in text]


async def test_the_operators_provider_is_listed_and_read_only_and_its_key_was_trimmed(place: Place) -> None:
    shown = (await place.ask("GET", "/openai")).json
    assert (shown["source"], shown["read_only"], shown["has_api_key"]) == ("environment", True, True)
    assert "endpoint" not in shown  # whose address is the operator's own affair
    assert (await place.ask("GET", "/openai", caller=OPERATOR)).json["endpoint"] == f"{place.upstream.url}/v1"
    for answer in (await place.ask("PUT", "/openai", {"weight": 1}), await place.ask("DELETE", "/openai")):
        assert answer.status == 403
        assert "environment" in answer.json["error"]["message"]
    assert (await place.ask("POST", "/openai/test", {})).json["success"]
    assert place.upstream.asked[-1].headers["Authorization"] == f"Bearer {OPERATORS_KEY}"


async def test_a_row_of_the_same_name_outranks_the_operators_for_its_tenant_alone(place: Place) -> None:
    assert (await place.create("openai", model="mine")).status == 201
    assert (await place.ask("GET", "/openai")).json["model"] == "mine"
    assert "model" not in (await place.ask("GET", "/openai", caller=BROKERS)).json
    source = place.record.orchestrator.providers.source
    await _until(place, "tellers", "openai", "database")
    [brokers] = [each for each in await source.providers_for(ORG, "brokers") if each.name == "openai"]
    assert (brokers.source, brokers.config.trusted, brokers.tenant_id) == ("environment", True, "")
    [tellers] = [each for each in await source.providers_for(ORG, "tellers") if each.name == "openai"]
    assert (tellers.config.trusted, tellers.tenant_id, tellers.config.model) == (False, "tellers", "mine")
    assert (await place.ask("DELETE", "/openai")).status == 204
    await _until(place, "tellers", "openai", "environment")
    assert (await place.ask("GET", "/openai")).json["source"] == "environment"


async def _until(place: Place, tenant_id: str, name: str, source: str) -> None:
    async with asyncio.timeout(10):
        while True:
            found = await place.record.orchestrator.providers.source.providers_for(ORG, tenant_id)
            if [each.source for each in found if each.name == name] == ([source] if source else []):
                return
            await asyncio.sleep(0.02)


async def test_what_belongs_to_others_is_not_there(place: Place) -> None:
    assert (await place.create("private")).status == 201
    for stranger in (BROKERS, RIVAL):
        assert "private" not in await place.names(stranger)
        for method, path, body in (
            ("GET", "/private", None),
            ("PUT", "/private", {"weight": 1}),
            ("DELETE", "/private", None),
            ("GET", "/private/health", None),
            ("POST", "/private/test", {}),
            ("GET", "/private?tenant_id=tellers", None),
        ):
            answer = await place.ask(method, path, body, caller=stranger)
            assert (answer.status, code(answer)) == (404, "NOT_FOUND"), (method, path)
    assert (await place.create("private", caller=BROKERS)).status == 201
    ambiguous = await place.ask("GET", "/private", caller=OPERATOR)
    assert (ambiguous.status, "tenant_id" in ambiguous.json["error"]["message"]) == (409, True)
    assert (await place.ask("GET", "/private?tenant_id=brokers", caller=OPERATOR)).json["tenant_id"] == "brokers"
    for caller in (TELLERS, BROKERS):
        assert (await place.ask("DELETE", "/private", caller=caller)).status == 204


async def test_what_the_operator_shares_serves_every_tenant_and_is_changed_by_none(place: Place) -> None:
    assert (await place.create("shared", caller=OPERATOR)).json["tenant_id"] == ""
    for caller in (TELLERS, BROKERS):
        assert "shared" in await place.names(caller)
        assert (await place.ask("PUT", "/shared", {"weight": 1}, caller=caller)).status == 403
    assert "shared" not in await place.names(RIVAL)
    assert (await place.ask("PUT", "/shared", {"weight": 1}, caller=OPERATOR)).status == 200
    assert (await place.ask("DELETE", "/shared", caller=OPERATOR)).status == 204


async def test_a_key_stays_with_the_place_it_was_given_for(place: Place) -> None:
    assert (await place.create("bound")).status == 201
    for elsewhere in ({"endpoint": f"{place.upstream.url}/elsewhere"}, {"region": "eu"}, {"type": "vllm"}):
        answer = await place.ask("PUT", "/bound", elsewhere)
        assert (answer.status, code(answer)) == (400, "INVALID_REQUEST")
        assert "api_key" in answer.json["error"]["message"]
        assert (await place.ask("PUT", "/bound", {**elsewhere, "api_key": ""})).status == 400
    moved = await place.ask("PUT", "/bound", {"endpoint": f"{place.upstream.url}/moved", "api_key": "sk-other"})
    assert moved.status == 200, moved.body
    assert (await place.ask("POST", "/bound/test", {})).json["success"]
    asked = place.upstream.asked[-1]
    assert (asked.target.startswith("/moved/"), asked.headers["Authorization"]) == (True, "Bearer sk-other")
    removed = await place.ask("PUT", "/bound", {"api_key": ""})
    assert (removed.status, removed.json["has_api_key"]) == (200, False)
    refused = await place.ask("POST", "/bound/test", {})
    assert (refused.status, refused.json["success"], "error" in refused.json) == (503, False, True)
    await place.ask("DELETE", "/bound")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"type": "telegraph"}, "type must be one of"),
        ({"type": "demo"}, "built in"),
        ({"name": ""}, "name is required"),
        ({"name": "routing"}, "name must be none of"),
        ({"name": "a/b"}, "name must be"),
        ({"type": "anthropic", "api_key": ""}, "type must be one of|needs an API key"),
        ({"endpoint": "ftp://files"}, "endpoint"),
        ({"endpoint": "http://10.0.0.8:8000/v1"}, "AXONFLOW_EGRESS_ALLOW"),
        ({"endpoint": "http://169.254.169.254/v1"}, "AXONFLOW_EGRESS_ALLOW"),
        ({"api_key_secret_arn": "arn:aws:secretsmanager:eu-west-1:1:secret:x"}, "not supported"),
        ({"api_key": f"{CANARY}\nx"}, "API key"),
        ({"weight": -1}, "weight"),
        ({"weight": "much"}, "weight"),
        ({"priority": 10**9}, "priority"),
        ({"rate_limit": -5}, "rate_limit"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"timeout_seconds": 10**9}, "timeout_seconds"),
        ({"region": "eu\nwest"}, "region"),
        ({"settings": {"regions": "eu"}}, "settings.regions"),
        ({"settings": {"regions": ["e u"]}}, "settings.regions"),
        ({"settings": {"allowed_models": [""]}}, "settings.allowed_models"),
        ({"settings": {"headers": {"authorization": "x"}}}, "settings.headers"),
        ({"settings": {"api_key": CANARY}}, "settings.api_key is not known"),
        ({"model": "m\0"}, "model"),
    ],
)
async def test_what_cannot_work_is_refused_by_name_and_keeps_nothing(
    place: Place, change: dict[str, Any], word: str
) -> None:
    before = await place.rows("SELECT count(*) FROM llm_providers")
    answer = await place.create(**{"name": "refused", **change})
    assert (answer.status, code(answer)) == (400, "INVALID_REQUEST"), answer.body
    message = answer.json["error"]["message"]
    assert any(each in message for each in word.split("|")), message
    assert CANARY not in message
    assert await place.rows("SELECT count(*) FROM llm_providers") == before


async def test_a_name_can_be_taken_once_even_at_the_same_time(place: Place) -> None:
    answers = await asyncio.gather(*(place.create("twice") for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert {code(answer) for answer in answers if answer.status == 409} == {"ALREADY_EXISTS"}
    assert (await place.ask("PUT", "/twice", {"name": "thrice"})).status == 400
    assert (await place.ask("DELETE", "/twice")).status == 204


async def test_pages_hold_each_provider_once(place: Place) -> None:
    for number in range(5):
        assert (await place.create(f"page-{number}", caller=BROKERS, enabled=number != 2)).status == 201
    seen: list[str] = []
    for page in (1, 2, 3):
        answer = (await place.ask("GET", f"?page={page}&page_size=2&type=custom", caller=BROKERS)).json
        assert answer["pagination"] == {"page": page, "page_size": 2, "total_items": 5, "total_pages": 3}
        seen += [each["name"] for each in answer["providers"]]
    assert seen == [f"page-{number}" for number in range(5)]
    off = (await place.ask("GET", "?enabled=false", caller=BROKERS)).json
    assert [each["name"] for each in off["providers"]] == ["page-2"]
    beyond = (await place.ask("GET", "?page=9", caller=BROKERS)).json
    assert (beyond["providers"], beyond["pagination"]["total_pages"]) == ([], 1)
    for bad in ("?page=0", "?page_size=101", "?enabled=perhaps", "?page=x"):
        assert (await place.ask("GET", bad, caller=BROKERS)).status == 400, bad
    for number in range(5):
        assert (await place.ask("DELETE", f"/page-{number}", caller=BROKERS)).status == 204


async def test_a_test_takes_a_short_prompt_and_a_model_that_the_provider_may_ask(place: Place) -> None:
    assert (await place.create("tried", settings={"denied_models": ["large*"]})).status == 201
    for body in ({"prompt": "x" * 501}, {"prompt": ""}, {"model": "large-2"}, {"model": "a\nb"}, {"prompt": 7}):
        before = len(place.upstream.asked)
        assert (await place.ask("POST", "/tried/test", body)).status == 400, body
        assert len(place.upstream.asked) == before
    assert (await place.ask("POST", "/tried/test", {"model": "medium"})).json["model"] == "medium"
    assert (await place.ask("DELETE", "/tried")).status == 204


async def test_a_prompt_of_the_callers_is_held_to_policies_and_so_is_the_answer_to_it(place: Place) -> None:
    assert (await place.create("judged")).status == 201
    before = len(place.upstream.asked)
    stopped = await place.ask("POST", "/judged/test", {"prompt": "1 OR 1=1; DROP TABLE users; --"})
    assert (stopped.status, code(stopped)) == (403, "FORBIDDEN")
    assert len(place.upstream.asked) == before
    told = await place.ask("POST", "/judged/test", {"prompt": "say it", "model": "leaking"})
    assert (told.status, "123-45-6789" in told.body.decode(), "withheld" in told.json["response"]) == (200, False, True)
    rows = await place.rows(
        "SELECT verdict, metadata::text FROM audit_logs WHERE metadata->>'provider' = 'judged'"
        " AND request_type = 'llm_provider_test' ORDER BY created_at"
    )
    assert [verdict for verdict, _ in rows] == ["blocked", "allowed"]
    assert "sqli" in rows[0][1]
    assert "DROP TABLE" not in str(rows)
    assert (await place.ask("DELETE", "/judged")).status == 204


async def test_types_name_their_settings_and_never_ask_for_what_a_type_has_not(place: Place) -> None:
    answer = await place.record.ask("GET", "/api/v1/llm-provider-types")
    types = {each["type"]: each for each in answer.json["types"]}
    assert {"openai", "azure-openai", "ollama", "mistral", "custom", "demo"} <= types.keys()
    assert types["custom"]["needs_endpoint"]
    assert "api_version" in types["azure-openai"]["settings"]
    assert all(each["available"] for each in types.values())
