"""What tenants write: whom it judges, how fast on every replica, and what happens while it is not compiled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import pytest
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_database import Database
from axonflow_governance import JudgementFailed, PoliciesRefused, PolicySource
from axonflow_governance.compiling import CompileLimits, PolicyCompiler
from axonflow_governance.errors import CompilerUnavailable
from axonflow_governance.tenants import TenantLayers
from axonflow_policy import Content, Evaluation, Policy
from axonflow_policy.engines import HAS_VECTORSCAN
from support.postgres import service_settings

TEXT = Content.of("About project-nightingale.")
ADD = """
    INSERT INTO static_policies (org_id, tenant_id, organization_id, policy_id, name, category, tier, pattern, severity,
                                 action)
    VALUES (%(org)s, %(tenant)s, %(org)s, %(id)s, 'Project names', 'custom', %(tier)s, %(pattern)s, 'high', %(action)s)
"""
OVERRIDE = """
    INSERT INTO policy_overrides (org_id, tenant_id, policy_id, enabled_override, override_reason, created_by)
    VALUES ('acme', 'tellers', 'sys_pii_ssn', false, 'a test', 'tester')
"""
DUMPS = "SELECT count(*) FROM policy_dumps"


class CountingCompiler(PolicyCompiler):
    """Compiles as ever, and knows how often; `out` starts no child."""

    def __init__(self, limits: CompileLimits | None = None) -> None:
        super().__init__(limits)
        self.compiled = 0
        self.out = False

    async def compile(self, policies: Iterable[Policy]) -> bytes:
        if self.out:
            raise CompilerUnavailable("no child can be started")
        self.compiled += 1
        return await super().compile(policies)


@pytest.fixture
async def replicas(database: Database) -> AsyncIterator[list[PolicySource]]:
    sources = [PolicySource(database, Posture()) for _ in range(2)]
    for source in sources:
        await source.start()
    yield sources
    for source in sources:
        await source.close()


async def write(
    database: Database,
    *,
    org: str = "acme",
    tenant: str = "tellers",
    policy_id: str = "mine",
    tier: str = "tenant",
    pattern: str = r"\bproject-[a-z]{4,12}\b",
    action: str = "block",
    source: PolicySource | None = None,
) -> None:
    """A row as the API leaves it; through the gate of ``source`` if there is one."""
    values = {"org": org, "tenant": tenant, "id": policy_id, "tier": tier, "pattern": pattern, "action": action}
    async with database.tenant(org) as connection:
        await connection.execute(ADD, values)
        if source is not None:
            await source.gate.admit(connection, org, tenant)


async def change(database: Database, assignment: str, org: str = "acme") -> None:
    async with database.tenant(org) as connection:
        await connection.execute(f"UPDATE static_policies SET {assignment} WHERE tier <> 'system'")  # type: ignore[arg-type]


async def judged(
    source: PolicySource, org: str = "acme", tenant: str = "tellers", content: Content = TEXT
) -> Evaluation:
    policy_set = await source.with_tenant_rules(org, tenant)
    assert policy_set is not None
    return policy_set.evaluate(content, Phase.REQUEST)


async def verdict(source: PolicySource, org: str = "acme", tenant: str = "tellers") -> Verdict:
    return (await judged(source, org, tenant)).verdict


async def until(condition: Callable[[], Awaitable[bool]], limit_s: float = 10) -> None:
    async with asyncio.timeout(limit_s):
        while not await condition():
            await asyncio.sleep(0.02)


async def dumps(database: Database) -> int:
    async with database.platform() as connection:
        row = await (await connection.execute(DUMPS)).fetchone()
    assert row is not None
    return int(row[0])


async def compiled(source: PolicySource, org: str = "acme", tenant: str = "tellers") -> bool:
    layer = await source._tenants.layer_of(org, tenant)
    return layer.rules is not None and layer.rules.is_final


async def test_a_written_policy_acts_on_every_replica_and_goes_with_its_row(
    database: Database, replicas: list[PolicySource]
) -> None:
    one, other = replicas

    async def both(wanted: Verdict) -> bool:
        return await verdict(one) is wanted and await verdict(other) is wanted

    assert await both(Verdict.ALLOWED)
    await write(database, source=one)
    # A second is promised; the notification makes it far less, and a busy machine more.
    await until(lambda: both(Verdict.BLOCKED))
    found = await judged(other)
    assert (found.reason, found.matches[0].origin) == ("Project names", "stored")
    await change(database, "action = 'redact'")
    await until(lambda: both(Verdict.REDACTED))
    await change(database, "enabled = false")
    await until(lambda: both(Verdict.ALLOWED))


async def test_one_tenants_policies_never_judge_anothers_calls(
    database: Database, replicas: list[PolicySource]
) -> None:
    one, _ = replicas
    await write(database)
    await write(database, policy_id="ours", tier="organization", pattern="nightingale", action="redact")
    assert await verdict(one) is Verdict.BLOCKED
    assert await verdict(one, "acme", "brokers") is Verdict.REDACTED, "the organisation's reach every tenant of it"
    assert await verdict(one, "rival", "tellers") is Verdict.ALLOWED
    assert await verdict(one, "rival", "acme") is Verdict.ALLOWED
    shared = one.for_tenant("acme", "tellers")
    assert shared is one.current, "planes that judge by the product's policies alone see none of it"


async def test_overrides_of_the_products_policies_hold_beside_written_ones(
    database: Database, replicas: list[PolicySource]
) -> None:
    one, _ = replicas
    both = Content.of("project-nightingale, SSN 123-45-6789")
    await write(database, action="redact")
    assert (await judged(one, content=both)).verdict is Verdict.BLOCKED
    async with database.tenant("acme") as connection:
        await connection.execute(OVERRIDE)

    async def lifted() -> bool:
        return (await judged(one, content=both)).verdict is Verdict.REDACTED

    await until(lifted)
    assert (await judged(one, "acme", "brokers", both)).verdict is Verdict.BLOCKED


async def test_a_joined_set_is_kept_for_its_organisation_alone(
    database: Database, replicas: list[PolicySource]
) -> None:
    await write(database)
    wanted = (await judged(replicas[0])).policy_set_hash
    assert (await judged(replicas[1])).policy_set_hash == wanted

    async def kept(org: str) -> list[dict[str, Any]]:
        async with database.tenant(org) as connection:
            sql = "SELECT document FROM policy_sets WHERE hash = %s"
            return [row[0] for row in await (await connection.execute(sql, (wanted,))).fetchall()]

    async def for_acme() -> bool:
        return bool(await kept("acme"))

    await until(for_acme)
    assert "mine" in {policy["id"] for policy in (await kept("acme"))[0]["policies"]}
    assert await kept("rival") == []


@pytest.mark.skipif(not HAS_VECTORSCAN, reason="Vectorscan has no wheel for this machine")
async def test_the_gate_leaves_the_dump_that_replicas_load(database: Database) -> None:
    compiler = CountingCompiler()
    source = PolicySource(database, Posture(), compiler=compiler)
    await source.start()
    before = await dumps(database)
    await asyncio.gather(
        write(database, source=source), write(database, policy_id="another", pattern="other", source=source)
    )
    done = compiler.compiled
    assert await verdict(source) is Verdict.BLOCKED
    assert await compiled(source), "both writers' policies were compiled together, by the second of them"
    assert (compiler.compiled, await dumps(database)) == (done, before + 2)
    await source.close()


@pytest.mark.skipif(not HAS_VECTORSCAN, reason="Vectorscan has no wheel for this machine")
async def test_without_a_dump_re2_judges_until_a_child_has_compiled(database: Database) -> None:
    compiler = CountingCompiler()
    source = PolicySource(database, Posture(), compiler=compiler)
    await source.start()
    await write(database)
    first = await judged(source)
    assert not await compiled(source)
    await until(lambda: compiled(source))
    assert await judged(source) == first, "the same matches under the same hash"
    assert compiler.compiled == 1
    await source.close()


async def test_a_layer_that_cannot_be_compiled_is_judged_all_the_same(database: Database) -> None:
    for limits, out in ((CompileLimits(scan_ms=0.0), False), (None, True)):
        compiler = CountingCompiler(limits)
        compiler.out = out
        source = PolicySource(database, Posture(), compiler=compiler)
        await source.start()
        await write(database, policy_id=f"mine_{out}", pattern=r"\bproject-\w+")
        await until(lambda source=source: _is(source, Verdict.BLOCKED))  # type: ignore[misc]
        await source.close()


async def _is(source: PolicySource, wanted: Verdict) -> bool:
    return await verdict(source) is wanted


async def test_the_gate_refuses_with_the_reason_and_nothing_changes(database: Database) -> None:
    source = PolicySource(database, Posture(), compiler=PolicyCompiler(CompileLimits(scan_ms=0.0)))
    await source.start()
    with pytest.raises(PoliciesRefused, match="a scan of 100 KB takes"):
        await write(database, source=source)
    assert await verdict(source) is Verdict.ALLOWED
    await source.close()


async def test_a_row_that_cannot_be_judged_leaves_the_layer_in_force(
    database: Database, replicas: list[PolicySource]
) -> None:
    one, other = replicas
    await write(database)
    assert await verdict(one) is Verdict.BLOCKED
    await change(database, "pattern = '(open'")  # nobody can through the API
    await asyncio.sleep(0.5)
    assert await verdict(one) is Verdict.BLOCKED
    with pytest.raises(JudgementFailed):
        await judged(other)
    await change(database, "pattern = 'other', enabled = true")

    async def mended() -> bool:
        try:
            return await verdict(other) is await verdict(one) is Verdict.ALLOWED
        except JudgementFailed:
            return False

    await until(mended)


async def test_a_written_policy_with_the_id_of_the_products_stops_its_own_tenant_alone(
    database: Database, replicas: list[PolicySource]
) -> None:
    await write(database, policy_id="sys_pii_ssn")
    with pytest.raises(JudgementFailed, match="twice"):
        await judged(replicas[0])
    assert await verdict(replicas[0], "acme", "brokers") is Verdict.ALLOWED


async def test_the_least_used_layers_are_forgotten_and_loaded_again(database: Database) -> None:
    source = PolicySource(database, Posture(), most_tenants=8)
    await source.start()
    names = [f"tenant-{number}" for number in range(50)]
    await asyncio.gather(*(write(database, tenant=name, policy_id=f"p-{name}") for name in names[::2]))
    for _ in range(2):
        found = [await verdict(source, tenant=name) for name in names]
        assert found == [Verdict.BLOCKED, Verdict.ALLOWED] * 25
    layers: TenantLayers = source._tenants
    assert len(layers) == 8
    await source.close()


async def test_while_postgres_is_away_known_tenants_are_judged_and_unknown_ones_refused(database_url: str) -> None:
    database = await Database.open(service_settings(database_url))
    source = PolicySource(database, Posture())
    await source.start()
    await write(database)
    assert await verdict(source) is Verdict.BLOCKED
    await database.close()  # from here on no pool gives a connection
    assert await verdict(source) is Verdict.BLOCKED
    for _ in range(2):
        with pytest.raises(JudgementFailed, match="PostgreSQL does not answer"):
            await judged(source, "acme", "brokers")
    await source.close()
