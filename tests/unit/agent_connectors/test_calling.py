"""Waiting for a connector: what it gives and raises arrives, and who is cut off waits for nothing."""

from __future__ import annotations

import asyncio

import pytest
from axonflow_agent.connectors.calling import promptly
from axonflow_connectors import ConnectorFault, FaultKind


async def test_answers_and_faults_arrive() -> None:
    async def answers() -> int:
        return 7

    async def fails() -> int:
        raise ConnectorFault(FaultKind.FAILED, "no")

    assert await promptly(answers()) == 7
    with pytest.raises(ConnectorFault, match="no"):
        await promptly(fails())


async def test_who_is_cut_off_does_not_wait_for_a_driver_that_hangs() -> None:
    begun, told, let_go, ended = (asyncio.Event() for _ in range(4))

    async def hanging() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.set()
            await let_go.wait()
            raise ConnectorFault(FaultKind.UNREACHABLE, "gone") from None
        finally:
            ended.set()

    call = asyncio.create_task(promptly(hanging()))
    await begun.wait()
    call.cancel()
    async with asyncio.timeout(20):
        with pytest.raises(asyncio.CancelledError):
            await call
        await told.wait()
        assert not ended.is_set()
        let_go.set()
        await ended.wait()
