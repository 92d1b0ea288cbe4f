"""Work done again and again goes on after a failure, and ends when it is told to."""

from __future__ import annotations

import asyncio
import contextlib

from axonflow_database import DatabaseUnavailable, Periodic


async def test_a_round_that_fails_is_tried_again() -> None:
    failures: list[Exception] = [DatabaseUnavailable("away"), ValueError("a bug")]
    done = asyncio.Event()

    async def work() -> None:
        if failures:
            raise failures.pop()
        done.set()

    periodic = Periodic("a test", work, every_s=0.001)
    periodic.start()
    async with asyncio.timeout(10):
        await done.wait()
    await periodic.close()
    assert failures == []


async def test_a_round_that_forgets_its_cancellation_is_ended_all_the_same() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    periodic = Periodic("a test", work, every_s=0.001)
    periodic.start()
    async with asyncio.timeout(10):
        await begun.wait()
        await periodic.close()


async def test_what_was_never_started_closes() -> None:
    await Periodic("a test", asyncio.Event().wait, every_s=1).close()
