"""Callers that keep calling while something breaks, and remember which calls were answered."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools

import aiohttp

from support.gateway import Gateway, rows


@dataclasses.dataclass
class Answered:
    """What a run of callers saw."""

    statuses: dict[str, int] = dataclasses.field(default_factory=dict)
    unanswered: int = 0

    def ids(self, *statuses: int) -> set[str]:
        return {decision_id for decision_id, status in self.statuses.items() if status in statuses}


class Callers:
    """``count`` clients in a closed loop until `stop`."""

    def __init__(self, gateway: Gateway, count: int, *, pause_s: float = 0.0) -> None:
        self._gateway = gateway
        self._count = count
        self._pause_s = pause_s
        self._running = True
        self._numbers = itertools.count()
        self.seen = Answered()

    def stop(self) -> None:
        self._running = False

    async def run(self) -> Answered:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(self._one(session) for _ in range(self._count)))
        return self.seen

    async def _one(self, session: aiohttp.ClientSession) -> None:
        while self._running:
            text = f"Call number {next(self._numbers)}"
            body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
            try:
                async with session.post(
                    f"{self._gateway.base_url}/chat/completions", json=body, headers=self._gateway.headers
                ) as answer:
                    await answer.read()
                    self.seen.statuses[answer.headers["x-axonflow-decision-id"]] = answer.status
            except (aiohttp.ClientError, OSError):
                self.seen.unanswered += 1
                await asyncio.sleep(0.05)
            if self._pause_s:
                await asyncio.sleep(self._pause_s)


async def rows_of(database_url: str, table: str, decision_ids: set[str], timeout_s: float = 45.0) -> dict[str, int]:
    """How many rows each decision has, once all have one or the time is over."""
    key = {"audit_logs": "decision_id", "llm_call_audits": "id"}[table]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while True:
        counted: dict[str, int] = {}
        for row in await asyncio.to_thread(rows, database_url, table):
            counted[row[key]] = counted.get(row[key], 0) + 1
        if decision_ids <= counted.keys() or loop.time() > deadline:
            return {decision_id: counted.get(decision_id, 0) for decision_id in decision_ids}
        await asyncio.sleep(0.3)
