"""Installing connectors: what is taken, what is refused, what is kept, and what nobody is ever shown."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
import pytest_asyncio
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.connectors import DEFINITIONS_PATH, ConnectorDefinitions
from axonflow_contracts.tool_locks import OBSERVED_PATH
from axonflow_database import sealing_keys
from axonflow_sealing import Sealer, SealingContext
from psycopg.conninfo import conninfo_to_dict
from support.data_servers import free_port
from support.postgres import Server
from support.record import BROKERS, ORG, RIVAL, TELLERS, Record, Reply, running_record

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "5e" * 32
BASE = "/api/v1/connectors"
CANARY = "canary-password-81f3"
LOGIN = "connector_caller"
SERVICE = Caller(org_id=ORG, tenant_id="tellers", client_id="agent", kind=CallerKind.SERVICE)
OPERATOR = Caller(org_id=ORG, tenant_id="", client_id="portal", kind=CallerKind.SERVICE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def record(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Record]:
    directory = tmp_path_factory.mktemp("orchestrator")
    (directory / ORG).mkdir()
    with sqlite3.connect(directory / ORG / "notes.db") as file:
        file.execute("CREATE TABLE notes (text TEXT)")
    settings = {
        "AXONFLOW_SEALING_KEY": KEY,
        "AXONFLOW_EGRESS_ALLOW": "127.0.0.1",
        "AXONFLOW_CONNECTOR_SQLITE_DIR": str(directory),
    }
    with postgres_server.database() as url:
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(f"DROP ROLE IF EXISTS {LOGIN}")
            owner.execute(f"CREATE ROLE {LOGIN} LOGIN PASSWORD '{CANARY}'")
        async with running_record(url, directory, **settings) as record:
            yield record


def postgres(record: Record, **changed: Any) -> dict[str, Any]:
    """An install of the very database that the tests run on."""
    parts = conninfo_to_dict(record.orchestrator.settings.owner_dsn.reveal())
    return {
        "name": changed.pop("name", "orders"),
        "tenant_id": "tellers",
        "options": {
            "host": parts.get("host", "127.0.0.1"),
            "port": int(parts.get("port", 5432)),
            "database": parts["dbname"],
            "username": LOGIN,
            "sslmode": "disable",
            **changed,
        },
        "credentials": {"password": CANARY},
    }


async def install(record: Record, body: dict[str, Any], type_: str = "postgres", caller: Caller = TELLERS) -> Reply:
    return await record.ask("POST", f"{BASE}/{type_}/install", body, caller=caller)


async def names(record: Record, caller: Caller) -> set[str]:
    answer = await record.ask("GET", BASE, caller=caller)
    return {entry["instance_name"] for entry in answer.json["connectors"]} - {""}


async def rows(record: Record, statement: str) -> list[tuple[Any, ...]]:
    async with record.orchestrator.database.tenant(ORG) as connection:
        return await (await connection.execute(statement)).fetchall()


async def test_the_catalogue_names_every_type_and_its_fields(record: Record) -> None:
    answer = await record.ask("GET", BASE, caller=RIVAL)
    assert {"postgres", "mysql", "sqlite", "http", "redis", "s3", "slack"} <= {
        e["id"] for e in answer.json["connectors"]
    }
    one = (await record.ask("GET", f"{BASE}/postgres", caller=RIVAL)).json
    assert one["installed"] is False
    assert one["config_schema"]["properties"]["password"]["writeOnly"] is True
    assert (await record.ask("GET", f"{BASE}/cassandra", caller=RIVAL)).status == 404


async def test_a_life_from_install_to_removal_leaves_a_row_a_change_and_shows_no_secret(record: Record) -> None:
    seen = [await install(record, postgres(record, name="life"))]
    assert seen[0].status == 201, seen[0].body
    assert seen[0].json["credentials"] == {"password": "********"}
    seen.append(await record.ask("POST", f"{BASE}/life/test"))
    seen.append(await record.ask("GET", f"{BASE}/life/health"))
    assert seen[-1].json["healthy"] is True
    assert type(seen[-1].json["latency"]) is int
    assert "PostgreSQL" in seen[-1].json["details"]["server"]
    seen.append(await record.ask("GET", f"{BASE}/life"))
    assert (seen[-1].json["healthy"], seen[-1].json["installed"]) == (True, True)
    seen.append(await record.ask("PUT", f"{BASE}/life", {"credentials": {"password": CANARY + "2"}}))
    assert seen[-1].status == 200
    stored = await rows(record, "SELECT to_jsonb(c)::text FROM connectors c")
    assert (await record.ask("DELETE", f"{BASE}/life")).status == 204
    assert (await record.ask("DELETE", f"{BASE}/life")).status == 404
    changes = await rows(
        record,
        "SELECT to_jsonb(a)::text, metadata->>'change' FROM audit_logs a WHERE request_type = 'connector_change'"
        " AND metadata->>'connector' = 'life' ORDER BY created_at",
    )
    assert [change for _, change in changes] == ["installed", "configured", "uninstalled"]
    texts = [answer.body.decode() for answer in seen] + [str(row) for row in [*stored, *changes]]
    assert not [text for text in texts if CANARY in text or CANARY.encode().hex() in text]


async def test_what_is_stored_opens_with_the_key_for_this_organisation_and_connector_alone(record: Record) -> None:
    installed = await install(record, postgres(record, name="sealed"))
    assert installed.status == 201
    answer = await record.ask("GET", DEFINITIONS_PATH, caller=SERVICE)
    definition = next(
        one for one in msgspec.json.decode(answer.body, type=ConnectorDefinitions).connectors if one.name == "sealed"
    )
    settings = record.orchestrator.settings
    sealer = Sealer(await sealing_keys(settings, record.orchestrator.database))
    context = SealingContext(ORG, "connector.credentials", definition.id)
    assert definition.credentials is not None
    assert msgspec.json.decode(sealer.open(definition.credentials, context=context)) == {"password": CANARY}


@pytest.mark.parametrize("caller", [TELLERS, OPERATOR])
async def test_definitions_are_for_services_that_name_a_tenant(record: Record, caller: Caller) -> None:
    assert (await record.ask("GET", DEFINITIONS_PATH, caller=caller)).status == 403
    assert (await record.ask("GET", DEFINITIONS_PATH, caller=None)).status == 401


async def test_other_tenants_neither_see_nor_change_it(record: Record) -> None:
    await install(record, postgres(record, name="ours"))
    for stranger in (BROKERS, RIVAL):
        assert "ours" not in await names(record, stranger)
        for method, path in (("GET", ""), ("GET", "/health"), ("POST", "/test"), ("PUT", ""), ("DELETE", "")):
            body = {"options": {}} if method == "PUT" else None
            assert (await record.ask(method, f"{BASE}/ours{path}", body, caller=stranger)).status == 404, path
    assert "ours" in await names(record, TELLERS)
    assert "ours" in await names(record, OPERATOR)
    named_another = await install(record, {**postgres(record, name="theirs"), "tenant_id": "brokers"})
    assert named_another.json["tenant_id"] == "tellers"


async def test_an_operator_names_the_tenant_where_two_use_one_name(record: Record) -> None:
    for tenant in ("tellers", "brokers"):
        body = {"name": "twin", "tenant_id": tenant, "options": {"path": "notes.db"}}
        assert (await install(record, body, "sqlite", OPERATOR)).json["tenant_id"] == tenant
    assert (await record.ask("DELETE", f"{BASE}/twin", caller=OPERATOR)).status == 409
    assert (await record.ask("DELETE", f"{BASE}/twin?tenant_id=brokers", caller=OPERATOR)).status == 204
    assert (await record.ask("GET", f"{BASE}/twin", caller=BROKERS)).status == 404
    assert (await record.ask("DELETE", f"{BASE}/twin?tenant_id=tellers", caller=BROKERS)).status == 404
    assert (await record.ask("GET", f"{BASE}/twin/health", caller=TELLERS)).json["healthy"] is True
    unnamed = {"name": "third", "options": {"path": "notes.db"}}
    assert (await install(record, unnamed, "sqlite", OPERATOR)).status == 400


async def test_a_tenant_that_cannot_be_has_no_connectors(record: Record) -> None:
    assert (await record.ask("GET", f"{BASE}/orders?tenant_id=%00", caller=OPERATOR)).status == 404
    body = {"options": {}, "tenant_id": "a\0"}
    assert (await record.ask("PUT", f"{BASE}/orders", body, caller=OPERATOR)).status == 404


async def test_a_tool_that_cannot_be_kept_silences_no_other_of_its_server(record: Record) -> None:
    with psycopg.connect(record.orchestrator.settings.owner_dsn.reveal(), autocommit=True) as owner:
        added = owner.execute(
            "INSERT INTO connectors (org_id, tenant_id, name, type, installed_by) "
            "VALUES (%s, 'tellers', 'up', 'mcp', 'me') RETURNING id::text",
            (ORG,),
        )
        [(upstream,)] = added.fetchall()
    names = ("fine", "", "nul\0", "".join(chr(0x4E00 + number) for number in range(1000)), "odd")
    tools = [
        {"name": name, "description": "d", "input_schema": {"a\0": "b\0"} if name == "odd" else {}} for name in names
    ]
    heard = {"connector_id": upstream, "tools": tools}
    for _ in range(2):
        told = await record.ask("POST", OBSERVED_PATH, heard, caller=SERVICE)
        assert [(tool["name"], tool["state"]) for tool in told.json["tools"]] == [
            ("fine", "pending"),
            ("odd", "pending"),
        ]
    diff = (await record.ask("GET", f"{BASE}/up/tools/odd/diff")).json
    assert diff["new"]["input_schema"] == {"a\\u0000": "b\\u0000"}
    steps = {"request_type": "tool_lock_change"}
    assert (await record.ask("POST", "/api/v1/audit/search", steps)).json["total"] == 2, "heard again, nothing changed"
    for nobody in ("nonsense", "a\0"):
        assert (
            await record.ask("POST", OBSERVED_PATH, {**heard, "connector_id": nobody}, caller=SERVICE)
        ).status == 404
    accepted = await record.ask("POST", f"{BASE}/up/tools/odd/accept", {"hash": diff["hash"]})
    assert (accepted.status, accepted.json["state"]) == (200, "accepted")


async def test_a_type_reads_its_only_connector_and_removes_none(record: Record) -> None:
    body = {"name": "cache", "options": {"host": "127.0.0.1"}}
    assert (await install(record, body, "redis", BROKERS)).status == 400
    assert (await install(record, {**body, "name": "fast"}, "redis", BROKERS)).status == 201
    assert (await record.ask("GET", f"{BASE}/redis", caller=BROKERS)).json["instance_name"] == "fast"
    assert (await record.ask("DELETE", f"{BASE}/redis", caller=BROKERS)).status == 404


@pytest.mark.parametrize("host", ["10.0.0.7", "169.254.169.254", "[::1]", "2130706433"])
async def test_an_address_that_may_not_be_dialled_is_refused_at_save_and_at_test(record: Record, host: str) -> None:
    body = postgres(record, name="inside", host=host)
    for answer in (await install(record, body), await record.ask("POST", f"{BASE}/postgres/test", body)):
        assert answer.status == 400, answer.body
        assert CANARY not in answer.body.decode()
    assert "inside" not in await names(record, TELLERS)


async def test_a_changed_place_needs_its_credentials_again(record: Record) -> None:
    """Whoever may configure must not be able to have a kept password sent to a server of their own."""
    body = postgres(record, name="moving")
    await install(record, body)
    moved = {**body["options"], "port": 5999}
    refused = await record.ask("PUT", f"{BASE}/moving", {"options": moved})
    assert refused.status == 400
    assert (await record.ask("PUT", f"{BASE}/moving", {"options": moved, "credentials": {}})).status == 400
    taken = await record.ask("PUT", f"{BASE}/moving", {"options": moved, "credentials": {"password": "new"}})
    assert taken.json["options"]["port"] == 5999


async def test_a_server_that_is_gone_is_unhealthy_and_no_fault(record: Record) -> None:
    answer = await record.ask("POST", f"{BASE}/postgres/test", postgres(record, host="127.0.0.1", port=free_port()))
    assert answer.status == 200
    assert answer.json["healthy"] is False
    assert answer.json["error"]


@pytest.mark.parametrize(
    "body",
    [
        {"options": {"host": "x"}, "credentials": {"nothing": "x"}},
        {"options": {"password": CANARY}},
        {"options": [], "credentials": {}},
        {"name": "a/b", "options": {"path": "notes.db"}},
        {"name": "refresh", "options": {"path": "notes.db"}},
        {"name": "mysql", "options": {"path": "notes.db"}},
        {"name": "up", "options": {"path": "../other/notes.db"}},
    ],
)
async def test_what_cannot_be_is_refused_and_keeps_nothing(record: Record, body: dict[str, Any]) -> None:
    before = await names(record, TELLERS)
    answer = await install(record, body, "sqlite")
    assert answer.status == 400
    assert answer.json["success"] is False
    assert CANARY not in answer.body.decode()
    assert await names(record, TELLERS) == before


async def test_a_name_is_taken_once(record: Record) -> None:
    body = {"name": "notes", "tenant_id": "tellers", "options": {"path": "notes.db"}, "credentials": {}}
    answers = await asyncio.gather(*(install(record, body, "sqlite") for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]


async def test_an_edition_holds_its_number_under_simultaneous_installs(postgres_server: Server, tmp_path: Path) -> None:
    (tmp_path / ORG).mkdir()
    sqlite3.connect(tmp_path / ORG / "notes.db").close()
    settings = {"AXONFLOW_CONNECTOR_SQLITE_DIR": str(tmp_path)}
    with postgres_server.database() as url:
        async with running_record(url, tmp_path, "community", **settings) as community:
            bodies = [{"name": f"n{number}", "options": {"path": "notes.db"}} for number in range(4)]
            answers = await asyncio.gather(*(install(community, body, "sqlite") for body in bodies))
            assert sorted(answer.status for answer in answers) == [201, 201, 403, 403]
            refused = next(answer for answer in answers if answer.status == 403)
            assert "2 max for COMMUNITY" in refused.json["error"]


async def test_without_a_sealing_key_nothing_secret_is_kept(postgres_server: Server, tmp_path: Path) -> None:
    with postgres_server.database() as url:
        with psycopg.connect(url, autocommit=True) as owner:  # the template was migrated for community, which makes one
            owner.execute("DELETE FROM deployment_secrets WHERE name = 'sealing_key'")
        async with running_record(url, tmp_path, AXONFLOW_EGRESS_ALLOW="127.0.0.1") as keyless:
            answer = await install(keyless, postgres(keyless))
            assert answer.status == 503
            assert "AXONFLOW_SEALING_KEY" in answer.json["error"]
