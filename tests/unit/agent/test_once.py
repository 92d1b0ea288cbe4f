"""Equal reports wait for each other, and one that failed was not taken."""

from __future__ import annotations

import asyncio

import pytest
from axonflow_agent.gateway.once import Once


async def test_equal_reports_go_one_by_one_and_others_at_once() -> None:
    once = Once()
    told: list[tuple[str, bool]] = []
    both = asyncio.Barrier(2)

    async def report(audit_id: str) -> None:
        async with once.turn(audit_id) as taken:
            if not taken:
                await both.wait()  # passes only if the other id's turn is under way too
            told.append((audit_id, taken))

    async with asyncio.timeout(5):
        await asyncio.gather(*(report(audit_id) for audit_id in ("a", "a", "b", "b")))
    assert sorted(told) == [("a", False), ("a", True), ("b", False), ("b", True)]


async def test_a_report_that_failed_may_come_again() -> None:
    once = Once()
    with pytest.raises(ZeroDivisionError):
        async with once.turn("a"):
            raise ZeroDivisionError
    async with once.turn("a") as taken:
        assert not taken


async def test_the_oldest_are_forgotten() -> None:
    once = Once(remembered=2)
    for audit_id in ("a", "b", "c"):
        async with once.turn(audit_id):
            pass
    async with once.turn("a") as oldest, once.turn("c") as newest:
        assert (oldest, newest) == (False, True)
