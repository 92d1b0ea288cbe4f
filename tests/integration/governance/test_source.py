"""The set that governs: loaded from the rows, swapped whole, never weakened by an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_database import Database
from axonflow_governance import PolicySetUnavailable, PolicySource
from axonflow_policy import Content, catalogue

SSN = Content.of("My SSN is 123-45-6789")
SWITCH = "UPDATE static_policies SET enabled = %s WHERE org_id = '@system' AND policy_id = %s"
DELETE = "UPDATE static_policies SET deleted_at = now() WHERE org_id = '@system' AND policy_id = %s"


@pytest.fixture
async def source(database: Database) -> AsyncIterator[PolicySource]:
    source = PolicySource(database, Posture())
    await source.start()
    yield source
    await source.close()


async def switch(database: Database, policy_id: str, *, on: bool) -> None:
    async with database.platform() as connection:
        await connection.execute(SWITCH, (on, policy_id))


async def until(condition: Callable[[], bool], limit_s: float = 10) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    while not condition():
        if loop.time() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


def verdict(source: PolicySource) -> Verdict:
    assert source.current is not None
    return source.current.evaluate(SSN, Phase.REQUEST).verdict


async def test_the_catalogue_is_in_force_after_the_first_start(source: PolicySource):
    assert source.current is not None
    enabled = [policy.id for policy in catalogue() if policy.enabled]
    assert sorted(policy.id for policy in source.current.policies) == sorted(enabled)
    assert verdict(source) is Verdict.BLOCKED


async def test_a_switched_row_is_swapped_in_on_every_replica(database: Database, source: PolicySource):
    other = PolicySource(database, Posture())
    await other.start()
    before = source.current
    await switch(database, "sys_pii_ssn", on=False)
    assert await until(lambda: verdict(source) is Verdict.ALLOWED and verdict(other) is Verdict.ALLOWED)
    assert before is not None
    assert before.evaluate(SSN, Phase.REQUEST).verdict is Verdict.BLOCKED, "the old set itself never changes"
    await switch(database, "sys_pii_ssn", on=True)
    assert await until(lambda: verdict(source) is Verdict.BLOCKED)
    assert source.current is not None
    assert source.current.hash == before.hash, "the same rows are the same set"
    await other.close()


async def test_a_row_that_went_missing_leaves_the_loaded_set_in_force(database: Database, source: PolicySource):
    async with database.platform() as connection:
        await connection.execute(DELETE, ("sys_pii_ssn",))
    await asyncio.sleep(1.5)
    assert verdict(source) is Verdict.BLOCKED
    assert source.age_s > 1, "and its age tells that it could not be confirmed"


async def test_a_start_repairs_a_missing_row_instead_of_serving_less(database: Database, source: PolicySource):
    async with database.platform() as connection:
        await connection.execute(DELETE, ("sys_pii_ssn",))
    again = PolicySource(database, Posture())
    await again.start()
    assert verdict(again) is Verdict.BLOCKED
    await again.close()


async def test_a_newer_catalogue_in_the_database_is_not_set_back(database: Database, source: PolicySource):
    async with database.platform() as connection:
        await connection.execute(
            "UPDATE static_policies SET catalogue_version = 10000, name = 'Newer' WHERE policy_id = 'sys_pii_ssn'"
        )
    older = PolicySource(database, Posture())
    await older.start()
    await older.close()
    async with database.platform() as connection:
        row = await (
            await connection.execute("SELECT name FROM static_policies WHERE policy_id = 'sys_pii_ssn'")
        ).fetchone()
    assert row == ("Newer",)


async def test_a_set_is_kept_under_its_hash_and_compiled_once(database: Database, source: PolicySource):
    again = PolicySource(database, Posture())
    await again.start()
    assert source.current is not None
    assert again.current is not None
    if again.current.engine == "vectorscan":
        assert again.current.compiled_from_dump
    async with database.platform() as connection:
        found = await (await connection.execute("SELECT hash, document FROM policy_sets")).fetchall()
    assert [row[0] for row in found] == [source.current.hash]
    assert len(found[0][1]["policies"]) == len(source.current.policies)
    await again.close()


async def test_without_any_row_the_first_load_refuses(database: Database, monkeypatch: pytest.MonkeyPatch):
    from axonflow_governance import store

    async def nothing(*_: object) -> None:
        """A catalogue that was never written."""

    async with database.platform() as connection:
        await connection.execute("UPDATE static_policies SET deleted_at = now() WHERE org_id = '@system'")
    monkeypatch.setattr(store, "upsert_catalogue", nothing)
    with pytest.raises(PolicySetUnavailable, match="missing from the database"):
        await PolicySource(database, Posture()).start()
