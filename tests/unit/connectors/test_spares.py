"""Idle connections: used again when young and clean, dropped when not, never more than a few at a time."""

from __future__ import annotations

import asyncio

import pytest
from axonflow_connectors.spares import MOST_OPEN, Spares


class Line:
    """A connection that counts."""

    made = 0

    def __init__(self) -> None:
        self.clean = True
        self.dropped = False


class Exchange:
    """Dials, and keeps every line that it dialled."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.cleaning = asyncio.Event()
        self.cleaning.set()

    async def dial(self) -> Line:
        self.lines.append(Line())
        return self.lines[-1]

    async def clean(self, line: Line) -> bool:
        await self.cleaning.wait()
        return line.clean

    async def drop(self, line: Line) -> None:
        line.dropped = True

    def spares(self) -> Spares[Line]:
        return Spares(self.dial, self.clean, self.drop)


async def test_a_clean_one_is_used_again_and_a_stale_one_is_not() -> None:
    exchange = Exchange()
    spares = exchange.spares()
    async with spares.take() as first:
        pass
    async with spares.take() as second:
        assert second is first
    first.clean = False
    async with spares.take() as third:
        assert third is not first
    assert first.dropped


async def test_one_whose_call_failed_is_dropped() -> None:
    exchange = Exchange()
    spares = exchange.spares()
    with pytest.raises(ValueError, match="x"):
        async with spares.take() as line:
            raise ValueError("x")
    assert line.dropped
    async with spares.take() as other:
        assert other is not line


async def test_only_a_few_are_open_at_a_time() -> None:
    exchange = Exchange()
    spares = exchange.spares()
    most = now = 0

    async def use() -> None:
        nonlocal most, now
        async with spares.take():
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1

    await asyncio.gather(*(use() for _ in range(3 * MOST_OPEN)))
    assert most == MOST_OPEN
    assert len(exchange.lines) == MOST_OPEN


async def test_what_is_in_use_at_the_close_is_dropped_when_its_call_ends() -> None:
    exchange = Exchange()
    spares = exchange.spares()
    async with spares.take() as idle:
        pass
    async with spares.take() as line:
        async with spares.take() as other:
            pass
        await spares.close()
        assert other.dropped
        assert not line.dropped
    assert line.dropped
    assert idle.dropped


async def test_one_whose_cleaning_takes_too_long_is_dropped_and_gives_its_place_back() -> None:
    exchange = Exchange()
    spares = exchange.spares()
    async with spares.take() as line:
        pass
    exchange.cleaning.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), spares.take():
            pass
    assert line.dropped
    async with asyncio.timeout(20), spares.take() as another:
        assert another is not line
