"""Dynamic policies over HTTP: their whole life, who may see and change them, and what editions allow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_policy import Facts
from axonflow_policy.system_rules import system_rules
from support.postgres import Server
from support.record import BROKERS, ORG, RIVAL, TELLERS, Record, Reply, running_record

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASE, ALIAS = "/api/v1/policies", "/api/v1/dynamic-policies"
OPERATOR = Caller(org_id=ORG, tenant_id="", client_id="portal", kind=CallerKind.SERVICE)
SYSTEM = {rule.id for rule in system_rules()}


def body(name: str = "Falcons", word: str = "falcon", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "content",
        "category": "dynamic-security",
        "conditions": [{"field": "query", "operator": "contains", "value": word}],
        "actions": [{"type": "block", "config": {"message": "No birds"}}],
        **changes,
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def record(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Record]:
    with postgres_server.database() as url:
        async with running_record(url, tmp_path_factory.mktemp("orchestrator")) as record:
            yield record


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def community(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Record]:
    directory = tmp_path_factory.mktemp("community")
    limits = {"AXONFLOW_LIMIT_TENANT_POLICIES": "3"}
    with postgres_server.database() as url:
        async with running_record(url, directory, "community", **limits) as record:
            yield record


async def create(record: Record, caller: Caller = TELLERS, **changes: Any) -> dict[str, Any]:
    named = {"name": str(changes.get("word", "Falcons")).title(), **changes}
    answer = await record.ask("POST", BASE, body(**named), caller=caller)
    assert answer.status == 201, answer.body
    return dict(answer.json)


async def verdict(record: Record, query: str, caller: Caller = TELLERS) -> Verdict:
    rules = await record.orchestrator.rules.rules_for(caller.org_id, caller.tenant_id)
    return rules.evaluate(Facts(query=query), Phase.REQUEST).verdict


async def changes(record: Record, rule_id: str) -> list[tuple[Any, ...]]:
    async with record.orchestrator.database.tenant(ORG) as connection:
        cursor = await connection.execute(
            "SELECT reason, tenant_id, metadata->>'changed' FROM audit_logs WHERE request_type = 'policy_change'"
            " AND metadata->>'policy_id' = %s ORDER BY created_at",
            (rule_id,),
        )
        return await cursor.fetchall()


async def test_a_whole_life_leaves_versions_and_audit_rows_and_acts_before_the_answer(record: Record) -> None:
    made = await create(record, word="osprey")
    one = f"{ALIAS}/{made['id']}"
    assert (made["tier"], made["version"], made["enabled"], made["created_by"]) == ("tenant", 1, True, "teller-app")
    assert await verdict(record, "an osprey") is Verdict.BLOCKED
    off = (await record.ask("PUT", one, {"enabled": False})).json
    assert (off["enabled"], off["conditions"], off["version"]) == (False, made["conditions"], 2)
    assert await verdict(record, "an osprey") is Verdict.ALLOWED
    again = (await record.ask("PUT", one, {"enabled": True, "name": "Ospreys", "priority": 9})).json
    assert (again["name"], again["priority"], again["version"]) == ("Ospreys", 9, 3)
    assert (await record.ask("PUT", one, {"priority": 9})).json["version"] == 3, "nothing changed"
    versions = (await record.ask("GET", f"{one}/versions")).json
    assert [(each["version"], each["change_type"]) for each in versions["versions"]] == [
        (3, "updated"),
        (2, "disabled"),
        (1, "created"),
    ]
    assert versions["versions"][2]["snapshot"]["name"] == "Osprey"
    assert (await record.ask("DELETE", one)).status == 204
    assert await verdict(record, "an osprey") is Verdict.ALLOWED
    for method in ("GET", "DELETE", "PUT"):
        assert (await record.ask(method, one, {} if method == "PUT" else None)).status == 404
    told = await changes(record, made["id"])
    assert [each[0].removeprefix("dynamic policy ") for each in told] == ["created", "disabled", "updated", "deleted"]
    assert {each[1] for each in told} == {"tellers"}


@pytest.mark.parametrize(
    "refused",
    [
        body(conditions=[]),
        body(conditions=None),
        body(name=""),
        body(priority=5000),
        body(tier="galaxy"),
        body(actions=[{"type": "route", "config": {"allowed_providers": "openai"}}]),
    ],
)
async def test_what_cannot_be_is_refused_with_its_fields_and_changes_nothing(
    record: Record, refused: dict[str, Any]
) -> None:
    before = (await record.ask("GET", BASE)).json["total"]
    answer = await record.ask("POST", BASE, refused)
    assert (answer.status, answer.json["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert all({"field", "message"} == set(each) for each in answer.json["error"]["details"])
    assert (await record.ask("GET", BASE)).json["total"] == before


async def test_an_update_cannot_take_the_conditions_away(record: Record) -> None:
    made = await create(record, word="kite")
    answer = await record.ask("PUT", f"{BASE}/{made['id']}", {"conditions": []})
    assert (answer.status, answer.json["error"]["details"][0]["field"]) == (400, "conditions")
    assert await verdict(record, "hello") is Verdict.ALLOWED
    assert await verdict(record, "a kite") is Verdict.BLOCKED


async def test_the_products_own_rules_are_read_only(record: Record) -> None:
    one = f"{BASE}/sys_dyn_high_risk_block"
    assert (await record.ask("GET", one)).json["tier"] == "system"
    assert (await record.ask("GET", f"{one}/versions")).json["count"] == 0
    for answer in (
        await record.ask("PUT", one, {"enabled": False}),
        await record.ask("DELETE", one),
        await record.ask("POST", BASE, body(tier="system")),
    ):
        assert (answer.status, answer.json["error"]["code"]) == (403, "FORBIDDEN")


async def test_other_tenants_and_organisations_neither_see_nor_change_a_rule(record: Record) -> None:
    made = await create(record, name="Ours")
    one = f"{BASE}/{made['id']}"
    for stranger in (BROKERS, RIVAL):
        for method, path, sent in (
            ("GET", one, None),
            ("PUT", one, {"enabled": False}),
            ("DELETE", one, None),
            ("GET", f"{one}/versions", None),
            ("POST", f"{one}/test", {"query": "x"}),
        ):
            assert (await record.ask(method, path, sent, caller=stranger)).status == 404, (method, path)
        listed = (await record.ask("GET", f"{BASE}?search=ours", caller=stranger)).json
        assert listed["policies"] == []
    assert (await record.ask("GET", one, caller=OPERATOR)).json["name"] == "Ours"


async def test_an_organisations_rule_holds_for_all_its_tenants(record: Record) -> None:
    made = await create(record, word="heron", tier="organization", organization_id=ORG)
    assert (made["organization_id"], made["tier"], made["tenant_id"]) == (ORG, "organization", "")
    assert await verdict(record, "a heron", BROKERS) is Verdict.BLOCKED
    assert await verdict(record, "a heron", RIVAL) is Verdict.ALLOWED
    effective = (await record.ask("GET", f"{ALIAS}/effective", caller=BROKERS)).json
    assert [each["tier"] for each in effective["policies"]][-1] == "organization"
    assert {each["id"] for each in effective["policies"]} == SYSTEM | {made["id"]}
    refused = await record.ask("POST", BASE, body(tier="organization", organization_id="rival-bank"))
    assert refused.status == 403
    assert (await record.ask("DELETE", f"{BASE}/{made['id']}")).status == 204


async def test_lists_page_both_ways_and_effective_hides_what_is_off(record: Record) -> None:
    for number in range(3):
        await create(record, BROKERS, name=f"Page {number}", word=f"page{number}", enabled=number > 0)
    first = (await record.ask("GET", f"{BASE}?search=page&sort_by=name&page_size=2", caller=BROKERS)).json
    assert [each["name"] for each in first["policies"]] == ["Page 0", "Page 1"]
    assert first["pagination"] == {"page": 1, "page_size": 2, "total": 3, "total_pages": 2}
    rest = (await record.ask("GET", f"{ALIAS}?search=page&sort_by=name&limit=2&offset=2", caller=BROKERS)).json
    assert [each["name"] for each in rest["policies"]] == ["Page 2"]
    for suffix, count in (("", 2), ("?include_disabled=true", 3)):
        told = (await record.ask("GET", f"{ALIAS}/effective{suffix}", caller=BROKERS)).json["policies"]
        assert len([each for each in told if each["name"].startswith("Page")]) == count
    only = (await record.ask("GET", f"{ALIAS}/effective?category=dynamic-cost", caller=BROKERS)).json
    assert {each["category"] for each in only["policies"]} == {"dynamic-cost"}


async def test_what_the_linter_finds_is_told_and_not_refused(record: Record) -> None:
    first = await create(record, name="First", word="albatross")
    twin = await create(record, name="Twin", word="albatross")
    assert [each["problem"] for each in twin["metadata"]["lint"]] == ["duplicate"]
    assert twin["metadata"]["lint"][0]["other_id"] == first["id"]


async def test_a_rule_is_tried_alone_whether_it_is_on_or_off(record: Record) -> None:
    made = await create(record, word="puffin", enabled=False)
    hit = (await record.ask("POST", f"{BASE}/{made['id']}/test", {"query": "a puffin"})).json
    assert (hit["matched"], hit["blocked"], hit["actions"]) == (True, True, ["block"])
    miss = (await record.ask("POST", f"{BASE}/{made['id']}/test", {"query": "a gull"})).json
    assert (miss["matched"], miss["blocked"], miss["actions"]) == (False, False, [])
    assert "query contains" in miss["explanation"]
    assert (await record.ask("POST", f"{BASE}/{made['id']}/test", {})).status == 400


async def test_a_query_is_tried_against_the_rules_in_force(record: Record) -> None:
    route = {"allowed_providers": ["local"], "preferred_provider": "local", "reason": "birds stay home"}
    made = await create(record, name="Swans", word="swan", actions=[{"type": "route", "config": route}])
    info = (await record.ask("POST", f"{BASE}/test", {"query": "a swan", "user": {"role": "teller"}})).json
    assert (info["allowed"], info["applied_policies"]) == (True, [made["id"]])
    assert (info["preferred_provider"], info["allowed_providers"], info["routing_reason"]) == (
        "local",
        ["local"],
        "birds stay home",
    )
    assert info["applied_policies_detail"][0]["policy_name"] == "Swans"
    loaded = (await record.ask("GET", f"{BASE}/dynamic")).json
    assert loaded["count"] == len(loaded["policies"])
    assert SYSTEM | {made["id"]} <= {each["id"] for each in loaded["policies"]}


async def test_the_mcp_gate_is_for_signed_calls_and_tells_dynamic_policy_info(
    record: Record, community: Record
) -> None:
    path = "/api/v1/mcp/evaluate-policies"
    await create(record, BROKERS, word="vulture")
    asked = {"connector": "crm", "operation": "query", "statement": "SELECT vulture"}
    told = (await record.ask("POST", path, asked, caller=BROKERS)).json
    assert (told["allowed"], told["block_reason"], told["orchestrator_reachable"]) == (False, "No birds", True)
    assert told["matched_policies"][0]["action"] == "block"
    assert told["policies_evaluated"] > 1
    asked["statement"] = "SELECT 1"
    assert (await record.ask("POST", path, asked, caller=BROKERS)).json["allowed"] is True
    assert (await community.ask("POST", path, asked, caller=None)).status == 401


async def test_an_import_is_whole_or_nothing(record: Record) -> None:
    good, bad = body("Imported", "stork"), body("Broken", "x", priority=-1)
    answer = await record.ask("POST", f"{BASE}/import", {"policies": [good, bad], "mode": "create"})
    assert answer.status == 400
    assert answer.json["error"]["details"] == [{"field": "policies[1].priority", "message": "must be 0 to 1000"}]
    assert (await record.ask("GET", f"{BASE}?search=imported")).json["total"] == 0
    done = (await record.ask("POST", f"{BASE}/import", {"policies": [good], "mode": "create"})).json
    assert (done["success"], done["created"], done["updated"]) == (True, 1, 0)
    assert await verdict(record, "a stork") is Verdict.BLOCKED
    assert (await record.ask("POST", f"{BASE}/import", {"policies": [good]})).status == 400, "it is there"
    changed = {**good, "priority": 77}
    for mode, priority, counted in (("skip", 0, "skipped"), ("overwrite", 77, "updated")):
        sent = {"policies": [changed], "mode": "upsert", "overwrite_mode": mode}
        done = (await record.ask("POST", f"{BASE}/import", sent)).json
        assert (done["policies"][0]["priority"], done[counted]) == (priority, 1)
    sent = {"policies": [changed, changed], "mode": "upsert"}
    assert (await record.ask("POST", f"{BASE}/import", sent)).status == 400, "the same rule twice"
    assert (await record.ask("POST", f"{BASE}/import", {"policies": []})).status == 400


async def test_an_export_is_an_import_of_another_tenant(record: Record) -> None:
    for name in ("first of an export", "second of an export"):
        assert (await record.ask("POST", BASE, body(name))).status == 201
    exported = (await record.ask("GET", f"{ALIAS}/export")).json
    mine = [each for each in exported["policies"] if each["tier"] == "tenant"]
    assert mine
    as_yaml = await record.ask("GET", f"{ALIAS}/export?format=yaml")
    assert yaml.safe_load(as_yaml.body)["policies"] == exported["policies"]
    for caller in (RIVAL, RIVAL):  # the second time nothing is new
        sent = {"policies": mine, "mode": "upsert"}
        assert (await record.ask("POST", f"{BASE}/import", sent, caller=caller)).status == 200
    theirs = (await record.ask("GET", f"{ALIAS}/export", caller=RIVAL)).json["policies"]
    strip = lambda rules: sorted(repr({**each, "id": ""}) for each in rules)  # noqa: E731 - only here
    assert strip(theirs) == strip({each["name"]: each for each in mine}.values())


async def test_community_holds_its_numbers_under_simultaneous_creates_and_has_no_organisation_tier(
    community: Record,
) -> None:
    answers = await asyncio.gather(
        *(community.ask("POST", BASE, body(f"n{number}", f"w{number}"), caller=None) for number in range(5))
    )
    assert sorted(answer.status for answer in answers) == [201, 201, 201, 403, 403]
    refused = next(answer for answer in answers if answer.status == 403)
    assert "3 max for Community" in refused.json["error"]["message"]
    many = {"policies": [body(f"m{number}") for number in range(2)]}
    assert (await community.ask("POST", f"{BASE}/import", many, caller=None)).status == 403
    await community.ask("DELETE", f"{BASE}/{answers[0].json.get('id', 'x')}", caller=None)
    for sent in (
        body(tier="organization"),
        body(conditions=[{"field": "step.gate_count", "operator": ">", "value": 1}]),
    ):
        answer = await community.ask("POST", BASE, sent, caller=None)
        assert (answer.status, answer.json["error"]["code"]) == (403, "FEATURE_REQUIRES_EVALUATION_LICENSE")


async def test_community_shows_the_last_five_versions(community: Record) -> None:
    [rule] = (await community.ask("GET", f"{BASE}?tier=tenant&limit=1", caller=None)).json["policies"]
    for priority in range(1, 8):
        await community.ask("PUT", f"{BASE}/{rule['id']}", {"priority": priority}, caller=None)
    shown = (await community.ask("GET", f"{BASE}/{rule['id']}/versions", caller=None)).json["versions"]
    assert [each["version"] for each in shown] == [8, 7, 6, 5, 4]


async def test_a_template_becomes_a_rule_and_its_use_is_counted(record: Record) -> None:
    listed = (await record.ask("GET", "/api/v1/templates?category=rate_limiting")).json
    assert {each["category"] for each in listed["templates"]} == {"rate_limiting"}
    categories = (await record.ask("GET", "/api/v1/templates/categories")).json["categories"]
    assert sum(each["count"] for each in categories) == (await record.ask("GET", "/api/v1/templates")).json["total"]
    assert (await record.ask("GET", "/api/v1/templates/no_such")).status == 404
    assert (await record.ask("GET", "/api/v1/templates?category=no_such")).status == 400
    path = "/api/v1/templates/block_words/apply"
    refused = await record.ask("POST", path, {"variables": {}})
    assert refused.json["error"]["details"][0]["field"] == "variables.words"
    sent = {"variables": {"words": ["pelican"]}, "policy_name": "Pelicans", "priority": 5}
    answer: Reply = await record.ask("POST", path, sent)
    assert (answer.status, answer.json["success"], answer.json["policy"]["name"]) == (201, True, "Pelicans")
    assert answer.json["usage_id"]
    assert await verdict(record, "a pelican") is Verdict.BLOCKED
    stats = (await record.ask("GET", "/api/v1/templates/stats")).json
    assert [(each["template_id"], each["count"]) for each in stats["usage"]] == [("block_words", 1)]
    assert (await record.ask("GET", "/api/v1/templates/stats", caller=BROKERS)).json["total_uses"] == 0


async def test_a_second_replica_acts_by_what_the_first_wrote(record: Record, tmp_path: Path) -> None:
    url = record.orchestrator.settings.owner_dsn.reveal()
    async with running_record(url, tmp_path) as other:
        assert await verdict(other, "a toucan") is Verdict.ALLOWED
        made = await create(record, word="toucan")
        async with asyncio.timeout(15):
            while await verdict(other, "a toucan") is not Verdict.BLOCKED:
                await asyncio.sleep(0.02)
        assert (await other.ask("DELETE", f"{BASE}/{made['id']}")).status == 204
        assert await verdict(other, "a toucan") is Verdict.ALLOWED
