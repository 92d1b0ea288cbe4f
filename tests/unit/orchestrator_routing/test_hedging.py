"""Candidates in turn, and two at a time."""

from __future__ import annotations

import asyncio

import pytest
from axonflow_orchestrator.routing.hedging import first_answer
from axonflow_orchestrator.routing.router import Router
from axonflow_orchestrator.routing.wishes import Attempt, Candidate
from axonflow_providers import FaultKind, ModelReply, TokenUsage
from support.routing import ORG, TENANT, Configured, fault

REPLY = ModelReply(text="fine", model="m", usage=TokenUsage())
FIRST, SECOND = (
    Candidate(provider=Configured(name=name), model="m", org_id=ORG, tenant_id=TENANT) for name in ("first", "second")
)


class Calls:
    """Asks by a script of how long each takes and how it ends."""

    def __init__(self, **script: tuple[float, FaultKind | Exception | None]) -> None:
        self.script = script
        self.log: list[str] = []

    async def __call__(self, candidate: Candidate) -> Attempt:
        name = candidate.provider.name
        wait_s, end = self.script[name]
        self.log.append(name)
        try:
            await asyncio.sleep(wait_s)
        except asyncio.CancelledError:
            self.log.append(f"{name} cancelled")
            raise
        if isinstance(end, Exception):
            raise end
        if end is not None:
            return Attempt(candidate=candidate, fault=fault(end))
        return Attempt(candidate=candidate, reply=REPLY)


async def run(calls: Calls, hedge_after_s: float | None = None) -> list[tuple[str, bool]]:
    attempts = await first_answer((FIRST, SECOND), calls, Router.may_fail_over, hedge_after_s)
    return [(each.candidate.provider.name, each.reply is not None) for each in attempts]


async def test_the_next_is_asked_only_after_the_first_has_failed() -> None:
    calls = Calls(first=(0, FaultKind.SERVER), second=(0, None))
    assert await run(calls) == [("first", False), ("second", True)]
    assert await run(Calls(first=(0, None), second=(0, None))) == [("first", True)]


async def test_a_fault_of_the_request_goes_to_nobody_else() -> None:
    assert await run(Calls(first=(0, FaultKind.TOO_LONG), second=(0, None))) == [("first", False)]


async def test_where_it_is_wanted_the_faster_of_two_counts_and_the_slower_is_cancelled() -> None:
    calls = Calls(first=(5, None), second=(0, None))
    assert await run(calls, 0.005) == [("second", True)]
    assert calls.log == ["first", "second", "first cancelled"]


async def test_without_hedging_a_slow_one_is_waited_for() -> None:
    calls = Calls(first=(0.02, None), second=(0, None))
    assert await run(calls) == [("first", True)]
    assert calls.log == ["first"]


async def test_a_second_one_that_may_not_be_asked_leaves_the_first_alone() -> None:
    calls = Calls(first=(0.02, None), second=(0, RuntimeError("over budget")))
    assert await run(calls, 0.002) == [("first", True)]


async def test_what_asking_raises_comes_out_when_nothing_else_is_under_way() -> None:
    with pytest.raises(RuntimeError, match="over budget"):
        await run(Calls(first=(0, RuntimeError("over budget")), second=(0, None)))


async def test_a_caller_who_leaves_cancels_all_of_them() -> None:
    calls = Calls(first=(5, None), second=(5, None))
    task = asyncio.create_task(run(calls, 0.001))
    while len(calls.log) < 2:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(calls.log[2:]) == ["first cancelled", "second cancelled"]
