"""Threads of blocking drivers: few for each connector, and nobody else's."""

from __future__ import annotations

import asyncio
import contextlib
import threading

from axonflow_connectors.threads import MOST_THREADS, Threads


async def test_a_stuck_connector_holds_up_neither_another_nor_the_loop() -> None:
    stuck, other, end = Threads(), Threads(), threading.Event()
    begun: list[int] = []

    def wait(number: int) -> None:
        begun.append(number)
        end.wait()

    calls = [asyncio.create_task(stuck.run(wait, number)) for number in range(3 * MOST_THREADS)]
    try:
        assert await other.run(lambda: "answered") == "answered"
        assert await asyncio.to_thread(lambda: "answered") == "answered"
        late = calls.pop()
        late.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await late
    finally:
        end.set()
        await asyncio.gather(*calls)
        stuck.close()
        other.close()
    assert sorted(begun) == list(range(3 * MOST_THREADS - 1))  # the one that was given up never began
