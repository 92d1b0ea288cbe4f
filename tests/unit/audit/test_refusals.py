"""Refused calls: twenty rows a second for an address and reason, then one that counts the others."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest
from axonflow_audit import AuditRow, AuditUnavailable, RefusalFold
from axonflow_audit.refusals import FoldWindows

NOW = datetime(2025, 3, 4, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def row(number: int = 0) -> AuditRow:
    return AuditRow(
        org_id="o",
        created_at=NOW,
        id=f"r{number}",
        decision_id=f"r{number}",
        tenant_id="unauthenticated",
        plane="openai_compat",
        verdict="error",
    )


@pytest.fixture
def written():
    return []


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def fold(written, clock):
    async def write(entry):
        written.append(entry.decision)

    fold = RefusalFold(write, clock=clock)
    yield fold
    await fold.close()


async def refuse(fold, count, address="192.0.2.1", reason="malformed"):
    for number in range(count):
        await fold.refuse(row(number), address=address, reason=reason)


async def test_up_to_twenty_a_second_each_get_their_row(fold, written):
    await refuse(fold, 20)
    assert [each.id for each in written] == [f"r{number}" for number in range(20)]
    assert {each.folded_count for each in written} == {1}
    assert written[0].metadata == {"client_address": "192.0.2.1", "refusal": "malformed"}


async def test_above_that_one_row_counts_the_others_of_the_second(fold, written, clock):
    await refuse(fold, 500)
    assert len(written) == 20
    clock.now_s += 1.0
    await fold.flush(clock())
    assert len(written) == 21
    assert written[-1].folded_count == 480
    assert sum(each.folded_count for each in written) == 500


async def test_each_second_has_its_own_fold(fold, written, clock):
    for _ in range(3):
        await refuse(fold, 50)
        clock.now_s += 1.0
    await fold.flush(clock())
    assert sorted(each.folded_count for each in written if each.folded_count > 1) == [30, 30, 30]
    assert len({each.id for each in written if each.folded_count > 1}) == 3


async def test_addresses_and_reasons_are_counted_apart(fold, written):
    await refuse(fold, 20, address="192.0.2.1")
    await refuse(fold, 20, address="192.0.2.2")
    await refuse(fold, 20, address="192.0.2.1", reason="too_large")
    assert len(written) == 60


async def test_closing_writes_what_is_owed(fold, written):
    await refuse(fold, 30)
    await fold.close()
    assert sum(each.folded_count for each in written) == 30


async def test_an_owed_row_is_written_without_another_call(fold, written, clock):
    await refuse(fold, 30)
    clock.now_s += 5.0
    async with asyncio.timeout(10):
        while len(written) < 21:
            await asyncio.sleep(0.05)
    assert written[-1].folded_count == 10


async def test_an_owed_row_that_no_place_takes_is_kept_for_the_next_time(clock):
    taken, full = [], False

    async def write(entry):
        if full:
            raise AuditUnavailable("full")
        taken.append(entry.decision)

    fold = RefusalFold(write, clock=clock)
    await refuse(fold, 30)
    full = True
    await fold.flush()
    assert len(taken) == 20
    full = False
    await fold.close()
    assert sum(each.folded_count for each in taken) == 30


def test_a_flood_from_countless_addresses_holds_bounded_memory_and_loses_no_count():
    windows = FoldWindows(free_per_s=2, most_keys=100)
    rows = []
    for number in range(5_000):
        rows += windows.admit(row(number), f"2001:db8::{number:x}", "malformed", 100.0)
    assert len(windows._windows) <= 101
    rows += windows.due(float("inf"))
    assert windows.empty
    assert sum(each.folded_count for each in rows) == 5_000
    assert len(rows) < 300


async def test_what_two_tenants_are_refused_for_is_counted_to_each(fold, written, clock):
    for tenant in ("a", "b", "a", "b") * 20:
        await fold.refuse(msgspec.structs.replace(row(), tenant_id=tenant), address="192.0.2.1", reason="malformed")
    clock.now_s += 2
    await fold.flush(clock.now_s)
    counts = {tenant: sum(each.folded_count for each in written if each.tenant_id == tenant) for tenant in "ab"}
    assert counts == {"a": 40, "b": 40}


async def test_a_row_for_many_callers_names_none_of_them(fold, written, clock):
    for number in range(25):
        named = msgspec.structs.replace(row(number), client_id=f"name-{number}")
        await fold.refuse(named, address="192.0.2.1", reason="malformed")
    clock.now_s += 2
    await fold.flush(clock.now_s)
    assert (written[-1].client_id, written[-1].folded_count) == ("", 5)
