"""Candidates asked in turn until one answers; or, where that is wanted, a second before the first is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from axonflow_orchestrator.routing.wishes import Attempt, Candidate

Ask = Callable[[Candidate], Awaitable[Attempt]]


async def first_answer(
    candidates: Sequence[Candidate],
    ask: Ask,
    may_fail_over: Callable[[Attempt], bool],
    hedge_after_s: float | None,
) -> tuple[Attempt, ...]:
    """The attempts that ended, in order; the last is the one that counts.

    Args:
        candidates: in the order in which they are asked; none of them twice.
        ask: makes one attempt; cancelled where another one answered first. What it raises ends everything, unless
            another attempt is still under way.
        may_fail_over: whether a failed attempt leaves hope.
        hedge_after_s: how long the newest attempt may take before the next candidate is asked as well; None for ever.
    """
    ended: list[Attempt] = []
    waiting = list(candidates)
    running: list[asyncio.Task[Attempt]] = []
    try:
        while waiting or running:
            if not running:
                running.append(_begun(ask, waiting.pop(0)))
            patience_s = hedge_after_s if waiting else None
            done, _ = await asyncio.wait(running, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                running.append(_begun(ask, waiting.pop(0)))
                continue
            running = [task for task in running if task not in done]
            attempts = [task.result() for task in done if not running or task.exception() is None]
            final = [attempt for attempt in attempts if not may_fail_over(attempt)]
            ended += [*(attempt for attempt in attempts if attempt not in final), *final]
            if final:
                break
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return tuple(ended)


def _begun(ask: Ask, candidate: Candidate) -> asyncio.Task[Attempt]:
    async def attempt() -> Attempt:
        return await ask(candidate)

    return asyncio.create_task(attempt())
