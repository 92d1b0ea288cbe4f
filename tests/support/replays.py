"""An agent that seals what it judges and an orchestrator that opens it, in this process, on one database."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from axonflow_contracts.caller import Caller, CallerKind

from support.gateway import ORG
from support.planes import Planes, planes
from support.record import Record, Reply, running_record

KEY = "11" * 32
OTHER_KEY = "22" * 32


@dataclasses.dataclass(frozen=True)
class Pair:
    """Both services, and whom the agent's client is."""

    planes: Planes
    record: Record
    caller: Caller

    async def decide(self, text: str, **more: Any) -> str:
        """The id of a decision on ``text``."""
        answer = await self.planes.post("/api/v1/decide", {"stage": "llm", "query": text, **more})
        assert answer.status == 200, answer.body
        return str(answer.json["decision_id"])

    async def replay(self, decision_id: str, against: str = "recorded", *, caller: Caller | None = None) -> Reply:
        target = f"/api/v1/decisions/{decision_id}/replay"
        return await self.record.ask("POST", target, {"against": against}, caller=caller or self.caller)

    async def set_mode(self, mode: str) -> Reply:
        """Ask for a mode, and wait until the agent follows it."""
        reply = await self.record.ask("PUT", "/api/v1/decisions/recording", {"mode": mode}, caller=self.caller)
        if reply.status == 200:
            recording = self.planes.agent.governor._recording
            async with asyncio.timeout(10):
                while recording.mode_of(self.caller.org_id, self.caller.tenant_id) != reply.json["mode"]:
                    await asyncio.sleep(0.01)
        return reply


@contextlib.asynccontextmanager
async def pair(database_url: str, directory: Path, mode: str = "enterprise", **env: str) -> AsyncIterator[Pair]:
    """Both in ``mode``, sealing; keywords are further environment variables of both."""
    shared = {"AXONFLOW_RECORD_INPUT": "sealed", "AXONFLOW_SEALING_KEY": KEY, **env}
    async with (
        planes(database_url, directory / "agent", mode, **shared) as opened,
        running_record(database_url, directory / "orchestrator", mode, **shared) as record,
    ):
        yield Pair(opened, record, await caller_of(opened))


async def caller_of(opened: Planes) -> Caller:
    """Whom the agent's client is, as its rows tell."""
    answer = await opened.post("/api/v1/decide", {"stage": "llm", "query": "hello"})
    row = await opened.row_of(answer)
    return Caller(org_id=ORG, tenant_id=row["tenant_id"], client_id=row["client_id"], kind=CallerKind.CLIENT)
