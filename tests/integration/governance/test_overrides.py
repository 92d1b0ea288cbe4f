"""Overrides in governance: whom they reach, how fast on every replica, and that they end by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_database import Database
from axonflow_governance import PolicySource
from axonflow_policy import Content, Evaluation

SSN = Content.of("My SSN is 123-45-6789")
ADD = """
    INSERT INTO policy_overrides (org_id, tenant_id, policy_id, action_override, enabled_override, override_reason,
                                  expires_at, created_by)
    VALUES (%s, %s, 'sys_pii_ssn', %s, %s, 'a test', now() + %s::interval, 'tester') RETURNING id::text
"""
END = "UPDATE policy_overrides SET ended_at = now(), ended_by = 'tester'"


@pytest.fixture
async def replicas(database: Database) -> AsyncIterator[list[PolicySource]]:
    sources = [PolicySource(database, Posture()) for _ in range(2)]
    for source in sources:
        await source.start()
    yield sources
    for source in sources:
        await source.close()


async def override(
    database: Database, org: str, tenant: str | None, action: str | None, *, on: bool | None = None,
    within: str | None = None,
) -> str:  # fmt: skip
    async with database.tenant(org) as connection:
        row = await (await connection.execute(ADD, (org, tenant, action, on, within))).fetchone()
    assert row is not None
    return str(row[0])


def judged(source: PolicySource, org: str = "acme", tenant: str = "tellers") -> Evaluation:
    policy_set = source.for_tenant(org, tenant)
    assert policy_set is not None
    return policy_set.evaluate(SSN, Phase.REQUEST)


async def soon(condition: Callable[[], bool], limit_s: float = 10) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    while not condition():
        if loop.time() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


async def test_an_override_reaches_every_replica_and_names_itself(
    database: Database, replicas: list[PolicySource]
) -> None:
    made = await override(database, "acme", "tellers", "warn")
    assert await soon(lambda: all(judged(each).verdict is Verdict.ALLOWED for each in replicas))
    match = next(each for each in judged(replicas[0]).matches if each.policy_id == "sys_pii_ssn")
    assert (match.action, match.origin) == ("warn", f"override:{made}")


async def test_an_override_reaches_its_tenant_alone(database: Database, replicas: list[PolicySource]) -> None:
    await override(database, "acme", "tellers", "log")
    [one, _] = replicas
    assert await soon(lambda: judged(one).verdict is Verdict.ALLOWED)
    assert judged(one, "acme", "brokers").verdict is Verdict.BLOCKED
    assert judged(one, "rival", "tellers").verdict is Verdict.BLOCKED


async def test_an_organisations_override_reaches_its_tenants_and_a_tenants_own_comes_first(
    database: Database, replicas: list[PolicySource]
) -> None:
    await override(database, "acme", None, "log")
    await override(database, "acme", "brokers", "redact")
    [one, _] = replicas
    assert await soon(lambda: judged(one, "acme", "brokers").verdict is Verdict.REDACTED)
    assert judged(one, "acme", "tellers").verdict is Verdict.ALLOWED
    assert judged(one, "rival", "brokers").verdict is Verdict.BLOCKED


async def test_an_override_ends_by_time_with_no_change_in_the_database(
    database: Database, replicas: list[PolicySource]
) -> None:
    await override(database, "acme", "tellers", None, on=False, within="5 seconds")
    [one, other] = replicas
    assert await soon(lambda: judged(one).verdict is Verdict.ALLOWED, 4.5)
    assert await soon(lambda: all(judged(each).verdict is Verdict.BLOCKED for each in (one, other)))
    assert one.current is not None
    assert judged(one).policy_set_hash == one.current.hash


async def test_an_ended_override_stops(database: Database, replicas: list[PolicySource]) -> None:
    await override(database, "acme", "tellers", "log")
    [one, _] = replicas
    assert await soon(lambda: judged(one).verdict is Verdict.ALLOWED)
    async with database.tenant("acme") as connection:
        await connection.execute(END)
    assert await soon(lambda: judged(one).verdict is Verdict.BLOCKED)


async def test_a_view_has_a_hash_of_its_own_and_is_kept_for_its_organisation(
    database: Database, replicas: list[PolicySource]
) -> None:
    made = await override(database, "acme", "tellers", "log")
    [one, _] = replicas
    assert await soon(lambda: judged(one).verdict is Verdict.ALLOWED)
    view = one.for_tenant("acme", "tellers")
    assert view is not None
    assert one.current is not None
    assert view.hash != one.current.hash
    assert one.for_tenant("acme", "tellers") is view, "a view is made once"

    documents: list[dict[str, dict[str, dict[str, str]]]] = []

    async def kept(org: str) -> bool:
        async with database.tenant(org) as connection:
            sql = "SELECT document FROM policy_sets WHERE hash = %s"
            documents[:] = [row[0] for row in await (await connection.execute(sql, (view.hash,))).fetchall()]
        return bool(documents)

    async with asyncio.timeout(10):
        while not await kept("acme"):
            await asyncio.sleep(0.02)
    assert documents[0]["overrides"]["sys_pii_ssn"]["id"] == made
    assert not await kept("rival")


async def test_editions_without_overrides_pass_over_stored_ones(database: Database) -> None:
    await override(database, "acme", "tellers", "log")
    source = PolicySource(database, Posture(), overrides_act=False)
    await source.start()
    assert judged(source).verdict is Verdict.BLOCKED
    await source.close()


async def test_a_tenants_policy_does_not_make_the_shared_set_anew(
    database: Database, replicas: list[PolicySource]
) -> None:
    before = replicas[0].current
    async with database.tenant("acme") as connection:
        await connection.execute(
            "INSERT INTO static_policies (org_id, tenant_id, policy_id, name, category, tier, pattern,"
            " severity, action) VALUES ('acme', 'tellers', 'mine', 'Mine', 'custom', 'tenant', 'x', 'low', 'log')"
        )
    await asyncio.sleep(1.5)
    assert replicas[0].current is before
