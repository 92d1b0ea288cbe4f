"""Where rules come from: read once a tenant, in step with the database on every replica, kept while it is away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from axonflow_contracts.verdicts import Phase, Tier, Verdict
from axonflow_database import Database
from axonflow_orchestrator.tenant_policies import store
from axonflow_orchestrator.tenant_policies.records import RuleFields, StoredRule
from axonflow_orchestrator.tenant_policies.source import RuleSource, RulesUnknown
from axonflow_policy import Condition, Facts, Phases, RuleAction, RuleSet
from axonflow_policy.system_rules import system_rules
from support.postgres import Server, service_settings

ORG, TENANT = "acme-bank", "tellers"
SYSTEM = {rule.id for rule in system_rules()}


def fields(word: str = "falcon", **changes: Any) -> RuleFields:
    values: dict[str, Any] = {
        "name": word,
        "description": "",
        "type": "content",
        "category": "dynamic-security",
        "conditions": (Condition(field="query", operator="contains", value=word),),
        "actions": (RuleAction(type="block"),),
        "phases": Phases.BOTH,
        "priority": 10,
        "enabled": True,
        "tags": (),
    }
    return RuleFields(**(values | changes))


async def write(database: Database, tenant_id: str = TENANT, org_id: str = ORG, **changes: Any) -> StoredRule:
    tier = Tier.TENANT if tenant_id else Tier.ORGANIZATION
    async with database.tenant(org_id) as connection:
        return await store.insert(
            connection, fields(**changes), org_id=org_id, tier=tier, tenant_id=tenant_id, by="ann"
        )


@contextlib.asynccontextmanager
async def sources(url: str, count: int = 1, **changes: Any) -> AsyncIterator[tuple[Database, list[RuleSource]]]:
    database = await Database.open(service_settings(url))
    made = [RuleSource(database, **changes) for _ in range(count)]
    try:
        for source in made:
            await source.start()
        yield database, made
    finally:
        for source in made:
            await source.close()
        await database.close()


def own(rules: RuleSet) -> set[str]:
    return {rule.name for rule in rules.rules} - {rule.name for rule in system_rules()}


async def until(source: RuleSource, names: set[str]) -> None:
    async with asyncio.timeout(15):
        while own(await source.rules_for(ORG, TENANT)) != names:
            await asyncio.sleep(0.02)


async def test_a_tenant_is_judged_by_the_products_its_organisations_and_its_own_rules(postgres_server: Server) -> None:
    with postgres_server.database() as url:
        async with sources(url) as (database, [source]):
            await write(database, word="ours")
            await write(database, "", word="everybody")
            await write(database, "brokers", word="theirs")
            await write(database, TENANT, "rival-bank", word="rivals")
            await write(database, word="off", enabled=False)
            rules = await source.rules_for(ORG, TENANT)
            assert own(rules) == {"ours", "everybody"}
            assert {rule.id for rule in rules.rules} > SYSTEM
            assert own(await source.rules_for("rival-bank", TENANT)) == {"rivals"}
            assert await source.rules_for(ORG, TENANT) is rules, "compiled once"


async def test_a_change_acts_on_another_replica_and_at_once_where_it_was_written(postgres_server: Server) -> None:
    with postgres_server.database() as url:
        async with sources(url, 2) as (database, [writer, other]):
            for source in (writer, other):
                assert own(await source.rules_for(ORG, TENANT)) == set()
            row = await write(database)
            await writer.follow_write(ORG)
            held = await writer.rules_for(ORG, TENANT)
            assert held.evaluate(Facts(query="a falcon"), Phase.REQUEST).verdict is Verdict.BLOCKED
            await until(other, {"falcon"})
            async with database.tenant(ORG) as connection:
                await store.delete(connection, row, by="ann")
            await until(other, set())


async def test_while_postgresql_is_away_the_last_known_rules_go_on_and_unknown_ones_are_unknown(
    chaos_server: Server, chaos_database_url: str
) -> None:
    async with sources(chaos_database_url) as (database, [source]):
        await write(database)
        known = await source.rules_for(ORG, TENANT)
        chaos_server.stop("immediate")
        assert await source.rules_for(ORG, TENANT) is known
        await source.follow_write(ORG)
        with pytest.raises(RulesUnknown):
            await source.rules_for(ORG, "brokers")
        chaos_server.start()
        async with asyncio.timeout(15):
            while True:
                with contextlib.suppress(RulesUnknown):
                    assert own(await source.rules_for(ORG, "brokers")) == set()
                    break


@pytest.mark.parametrize(
    "broken",
    [
        'conditions = \'[{"field": "no.such", "operator": "equals", "value": 1}]\'',
        "conditions = '{}'",
        'actions = \'[{"type": "dance"}]\'',
        'priority = 0, conditions = \'[{"field": "query", "operator": "regex", "value": "("}]\'',
    ],
)
async def test_a_stored_rule_that_cannot_be_judged_blocks_in_its_own_name_until_it_is_mended(
    postgres_server: Server, broken: str
) -> None:
    with postgres_server.database() as url:
        async with sources(url) as (database, [source]):
            row = await write(database)
            assert own(await source.rules_for(ORG, TENANT)) == {"falcon"}
            with psycopg.connect(url, autocommit=True) as owner:
                owner.execute("SET ROLE axonflow_app")
                owner.execute("SELECT set_config('app.current_org_id', %s, false)", (ORG,))
                owner.execute(f"UPDATE dynamic_policies SET {broken}")  # type: ignore[arg-type]
            await source.follow_write(ORG)
            found = (await source.rules_for(ORG, TENANT)).evaluate(Facts(query="hello"), Phase.REQUEST)
            assert (found.verdict, found.matches[0].policy_id, found.failure) == (
                Verdict.BLOCKED,
                row.id,
                "InvalidRule",
            )
            assert (await source.rules_for(ORG, "brokers")).evaluate(
                Facts(query="hello"), Phase.REQUEST
            ).verdict is Verdict.ALLOWED
            async with database.tenant(ORG) as connection:
                await store.update(connection, row, fields(), by="ann")
            await source.follow_write(ORG)
            found = (await source.rules_for(ORG, TENANT)).evaluate(Facts(query="hello"), Phase.REQUEST)
            assert found.verdict is Verdict.ALLOWED


async def test_rules_of_few_tenants_are_held(postgres_server: Server) -> None:
    with postgres_server.database() as url:
        async with sources(url, most=2) as (_, [source]):
            for tenant in ("a", "b", "a", "c"):
                await source.rules_for(ORG, tenant)
            assert len(source) == 2
