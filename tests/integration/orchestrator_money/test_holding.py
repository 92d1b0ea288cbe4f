"""Holds against a real PostgreSQL: what is set aside, what is charged, and what remains."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
import pytest
import pytest_asyncio
from axonflow_database import Connection, Database
from axonflow_orchestrator.budgets import BudgetService, Held, Spender
from axonflow_orchestrator.budgets.opening import open_budgets
from axonflow_orchestrator.budgets.periods import period_start
from axonflow_orchestrator.budgets.records import OnExceed, Period
from axonflow_orchestrator.budgets.sweeping import sweep
from support.money import ANN, TENANT, budget, counters, facts, rows
from support.postgres import Server, service_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Events:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, Mapping[str, Any]]] = []

    async def emit(
        self, connection: Connection, org_id: str, tenant_id: str, event: str, data: Mapping[str, Any]
    ) -> None:
        await connection.execute("SELECT 1")
        assert tenant_id in {"", TENANT}
        self.told.append((org_id, event, data))

    def of(self, org_id: str) -> list[str]:
        return [event for org, event, _ in self.told if org == org_id]


@dataclasses.dataclass
class Clock:
    """UTC, at the real time unless a test moves it."""

    now: datetime | None = None

    def __call__(self) -> datetime:
        return self.now or datetime.now(UTC)


@dataclasses.dataclass
class Money:
    """A service and an organisation of its own for each test."""

    database: Database
    service: BudgetService
    events: Events
    clock: Clock
    ann: Spender

    @property
    def org(self) -> str:
        return self.ann.org_id

    async def budget(self, id: str, limit: str, **more: Any) -> str:  # noqa: A002 - as the table has it
        uid = await budget(self.database, id, limit, org_id=self.org, **more)
        while not self.service.has_budgets(self.org) and more.get("enabled", True):
            await asyncio.sleep(0.005)
        return uid

    async def hold(self, estimate: str, spender: Spender | None = None, lifetime_s: float = 60) -> Held:
        return await self.service.hold(
            spender or self.ann,
            Decimal(estimate),
            request_id="req-1",
            attempt=1,
            lifetime_s=lifetime_s,
            provider="openai",
            model="gpt-4o",
        )

    async def counters(self) -> dict[str, tuple[Decimal, Decimal]]:
        return await counters(self.database, self.org)

    async def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return await rows(self.database, statement, *values, org_id=self.org)

    async def sweep(self) -> int:
        return await sweep(self.database, self.service.announce)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(postgres_server: Server) -> AsyncIterator[tuple[Database, BudgetService, Events, Clock]]:
    events, clock = Events(), Clock()
    with postgres_server.database() as url:
        database = await Database.open(service_settings(url))
        async with open_budgets(database, events, clock=clock, sweep_every_s=3600) as service:
            yield database, service, events, clock
        await database.close()


@pytest.fixture
def money(opened: tuple[Database, BudgetService, Events, Clock]) -> Iterator[Money]:
    database, service, events, clock = opened
    yield Money(database, service, events, clock, msgspec.structs.replace(ANN, org_id=f"org-{uuid.uuid4()}"))
    clock.now = None


async def test_without_budgets_nothing_is_held_and_the_call_is_recorded(money: Money) -> None:
    held = await money.hold("1")
    assert held == Held(allowed=True)
    assert await money.service.settle(money.ann, held.hold, facts("0.5"))
    assert await money.rows("SELECT cost_usd, user_id, budget_uids FROM usage_records") == [(Decimal("0.5"), "ann", [])]


async def test_a_hold_is_settled_with_what_the_call_cost_and_only_once(money: Money) -> None:
    await money.budget("all", "10")
    held = await money.hold("2")
    assert held.allowed
    assert await money.counters() == {"all": (Decimal(0), Decimal(2))}
    assert await money.service.settle(money.ann, held.hold, facts("3.25"))
    assert await money.service.settle(money.ann, held.hold, facts("3.25")), "told twice"
    assert await money.counters() == {"all": (Decimal("3.25"), Decimal(0))}, "more than the estimate, and true"
    assert await money.rows("SELECT * FROM budget_holds") == []
    assert await money.rows("SELECT cost_usd, outcome FROM usage_records") == [(Decimal("3.25"), "settled")]


async def test_a_budget_that_blocks_takes_no_hold_beyond_its_limit_and_says_so_once(money: Money) -> None:
    await money.budget("small", "1", scope="user", scope_id="ann")
    await money.budget("large", "1000")
    assert (await money.hold("1")).allowed
    refused = await money.hold("0.00000001")
    assert (refused.allowed, refused.hold) == (False, None)
    assert refused.info is not None
    assert (refused.info.budget_id, refused.info.exceeded, refused.info.action) == ("small", True, "block")
    assert "small budget" in refused.message
    assert (await money.counters())["large"] == (Decimal(0), Decimal(1)), "nothing is held of the others either"
    await money.hold("5")
    assert money.events.of(money.org) == ["budget.blocked"]
    others = msgspec.structs.replace(money.ann, user_id="bob")
    assert (await money.hold("5", others)).allowed


async def test_what_is_released_leaves_no_trace(money: Money) -> None:
    await money.budget("all", "10")
    held = await money.hold("2")
    await money.service.release(held.hold)
    await money.service.release(held.hold)
    assert await money.counters() == {"all": (Decimal(0), Decimal(0))}
    assert await money.rows("SELECT * FROM budget_holds") == []
    assert await money.rows("SELECT * FROM usage_records") == []


async def test_a_hold_nobody_settles_is_charged_as_estimated_and_corrected_by_a_late_truth(money: Money) -> None:
    await money.budget("all", "10")
    held = await money.hold("2", lifetime_s=0)
    assert await money.sweep() == 1
    assert await money.sweep() == 0
    assert await money.counters() == {"all": (Decimal(2), Decimal(0))}
    [row] = await money.rows("SELECT cost_usd, estimated, outcome, provider, success, request_id FROM usage_records")
    assert row == (Decimal(2), True, "unknown", "openai", False, "req-1")
    for _ in range(2):
        assert await money.service.settle(money.ann, held.hold, facts("0.5"))
        assert await money.counters() == {"all": (Decimal("0.5"), Decimal(0))}
        [row] = await money.rows("SELECT cost_usd, estimated, outcome, tokens_in, success FROM usage_records")
        assert row == (Decimal("0.5"), False, "settled", 100, True)


async def test_a_charge_is_taken_back_when_it_turns_out_that_nothing_was_sent(money: Money) -> None:
    await money.budget("all", "10")
    held = await money.hold("2", lifetime_s=0)
    await money.sweep()
    await money.service.release(held.hold)
    assert await money.counters() == {"all": (Decimal(0), Decimal(0))}
    assert await money.rows("SELECT cost_usd, outcome FROM usage_records") == [(Decimal(0), "settled")]


async def test_a_settlement_and_the_sweep_at_one_moment_charge_once(money: Money) -> None:
    await money.budget("all", "1000")
    held = [await money.hold("2", lifetime_s=0) for _ in range(12)]
    await asyncio.gather(
        *(money.service.settle(money.ann, one.hold, facts("0.25")) for one in held), money.sweep(), money.sweep()
    )
    assert await money.counters() == {"all": (Decimal(3), Decimal(0))}
    assert await money.rows("SELECT count(*), sum(cost_usd) FROM usage_records") == [(12, Decimal(3))]


async def test_a_call_is_charged_to_the_period_it_was_held_in(money: Money) -> None:
    await money.budget("day", "1", period=Period.DAILY)
    money.clock.now = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
    held = await money.hold("1")
    assert not (await money.hold("1")).allowed
    money.clock.now = datetime(2026, 3, 2, 0, 0, 1, tzinfo=UTC)
    assert (await money.hold("1")).allowed, "a new day"
    assert await money.service.settle(money.ann, held.hold, facts("1"))
    found = await money.rows(
        "SELECT period_start, spent_usd, held_usd FROM budget_counters WHERE spent_usd + held_usd > 0"
    )
    assert sorted(found) == [
        (datetime(2026, 3, 1, tzinfo=UTC), Decimal(1), Decimal(0)),
        (datetime(2026, 3, 2, tzinfo=UTC), Decimal(0), Decimal(1)),
    ]
    assert await money.rows("SELECT created_at FROM usage_records") == [(datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC),)]


async def test_periods_begin_where_python_says_they_do(money: Money) -> None:
    moments = [datetime(2024, 2, 29, 23, 59, tzinfo=UTC) + timedelta(days=37 * n, hours=n) for n in range(40)]
    for period in Period:
        found = await money.rows("SELECT axonflow_period_start(%s, m) FROM unnest(%s) m", period.value, moments)
        assert [row[0] for row in found] == [period_start(period, moment) for moment in moments]


async def test_thresholds_and_the_limit_are_told_once_a_period(money: Money) -> None:
    await money.budget("all", "10", on_exceed=OnExceed.WARN, thresholds=(25, 50, 75))
    for cost in ("2", "4", "5", "5"):
        held = await money.hold("1")
        assert held.allowed
        await money.service.settle(money.ann, held.hold, facts(cost))
    assert money.events.of(money.org) == ["budget.threshold_reached"] * 3 + ["budget.exceeded"]
    found = await money.rows("SELECT alert_type, threshold, amount_usd FROM budget_alerts ORDER BY 3, 2")
    assert found == [
        ("threshold_reached", 25, Decimal(6)),
        ("threshold_reached", 50, Decimal(6)),
        ("threshold_reached", 75, Decimal(11)),
        ("budget_exceeded", 100, Decimal(11)),
    ]
    told = [data for org, event, data in money.events.told if org == money.org and event == "budget.exceeded"]
    assert (told[0]["budget_id"], told[0]["used_usd"], told[0]["percentage"]) == ("all", 11.0, 110.0)
    warned = await money.hold("1")
    assert (warned.allowed, warned.info is not None and warned.info.exceeded) == (True, True)


async def test_an_alert_whose_event_cannot_be_written_takes_the_settlement_back(money: Money) -> None:
    await money.budget("all", "1", on_exceed=OnExceed.WARN)
    held = await money.hold("1")

    class Broken:
        async def emit(self, *_: object) -> None:
            raise RuntimeError

    broken = dataclasses.replace(money.service, events=Broken())
    with pytest.raises(RuntimeError):
        await broken.settle(money.ann, held.hold, facts("1"))
    assert await money.counters() == {"all": (Decimal(0), Decimal(1))}
    assert await money.rows("SELECT * FROM budget_alerts") == []
    assert await money.service.settle(money.ann, held.hold, facts("1"))


async def test_downgrade_lets_calls_pass_and_says_when_a_blocking_neighbour_might_take_a_cheaper_one(
    money: Money,
) -> None:
    await money.budget("cheap", "1", on_exceed=OnExceed.DOWNGRADE)
    assert (await money.hold("0.5")).downgrade is False
    held = await money.hold("2")
    assert (held.allowed, held.downgrade, held.hold is not None) == (True, True, True)
    await money.budget("end", "1", on_exceed=OnExceed.BLOCK)
    refused = await money.hold("2")
    assert (refused.allowed, refused.downgrade) == (False, True)
    assert (await money.hold("0.1")).allowed


async def test_every_scope_counts_its_own(money: Money) -> None:
    named = {"team": "front", "agent": "clerk", "workflow": "w1", "user": "ann"}
    for scope, scope_id in named.items():
        await money.budget(scope, "100", scope=scope, scope_id=scope_id)
    await money.budget("desk", "100", scope="agent", scope_id="desk")
    await money.budget("elsewhere", "100", tenant_id="brokers")
    await money.budget("whole", "100", tenant_id="")
    flow = msgspec.structs.replace(money.ann, workflow_id="w1")
    held = await money.hold("1", flow)
    await money.service.settle(flow, held.hold, facts("1"))
    stands = {name: spent for name, (spent, _) in (await money.counters()).items()}
    assert stands == {**dict.fromkeys([*named, "desk", "whole"], Decimal(1)), "elsewhere": Decimal(0)}


async def test_a_budget_begins_with_what_its_period_has_cost(money: Money) -> None:
    await money.service.settle(money.ann, None, facts("2"))
    await money.service.settle(msgspec.structs.replace(money.ann, user_id="bob"), None, facts("3"))
    await money.service.settle(money.ann, None, facts("9", created_at=datetime.now(UTC) - timedelta(days=400)))
    await money.budget("ann", "100", scope="user", scope_id="ann")
    await money.budget("all", "100")
    assert await money.counters() == {"ann": (Decimal(2), Decimal(0)), "all": (Decimal(5), Decimal(0))}


async def test_a_call_counts_against_a_budget_that_came_while_it_was_under_way(money: Money) -> None:
    await money.budget("first", "100")
    held = await money.hold("1")
    await money.budget("second", "100")
    await money.service.settle(money.ann, held.hold, facts("2"))
    assert await money.counters() == {"first": (Decimal(2), Decimal(0)), "second": (Decimal(2), Decimal(0))}


async def test_budgets_made_while_calls_are_settled_count_each_call_once(money: Money) -> None:
    calls = [money.service.settle(money.ann, None, facts("1")) for _ in range(30)]
    made = [money.budget(f"b{n}", "1000") for n in range(6)]
    await asyncio.gather(*(x for pair in zip(calls[:6], made, strict=True) for x in pair), *calls[6:])
    assert {spent for spent, _ in (await money.counters()).values()} == {Decimal(30)}


async def test_no_number_of_callers_passes_a_limit(money: Money) -> None:
    await money.budget("all", "10", scope="organization")
    await money.budget("team", "7", scope="team", scope_id="front")
    await money.budget("ann", "1000", scope="user", scope_id="ann")
    held = await asyncio.gather(*(money.hold("1") for _ in range(24)))
    assert sum(one.allowed for one in held) == 7
    assert {name: held_usd for name, (_, held_usd) in (await money.counters()).items()} == {
        "all": 7,
        "team": 7,
        "ann": 7,
    }


async def test_a_settled_record_cannot_be_changed_by_the_application(money: Money) -> None:
    await money.service.settle(money.ann, None, facts("1"))
    async with money.database.tenant(money.org) as connection:
        done = await connection.execute("UPDATE usage_records SET cost_usd = 0")
        assert done.rowcount == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await money.rows("DELETE FROM usage_records RETURNING id")


async def test_texts_no_column_takes_are_mended_and_the_call_is_charged(money: Money) -> None:
    odd = "a\0b\ud800" + "x" * 1000
    assert await money.service.settle(money.ann, None, facts("1", request_id=odd, model=odd, error=odd))
    [row] = await money.rows("SELECT model, cost_usd FROM usage_records")
    assert row[0].startswith("ab?x")
    assert row[1] == 1


async def test_a_client_that_goes_away_leaves_neither_a_hold_nor_an_unpaid_call(money: Money) -> None:
    await money.budget("all", "10")
    holding = asyncio.create_task(money.hold("1"))
    await asyncio.sleep(0)
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    held = await money.hold("2")
    settling = asyncio.create_task(money.service.settle(money.ann, held.hold, facts("2")))
    await asyncio.sleep(0)
    settling.cancel()
    async with asyncio.timeout(5):
        while await money.counters() != {"all": (Decimal(2), Decimal(0))}:
            await asyncio.sleep(0.01)
