"""Holds the native form together: the database first, then the services side by side, each kept running alone.

It ends in the opposite order: the agent before what it calls, the database last.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from axonflow_native.keeper import Keeper, Pace, Service
from axonflow_native.log_files import limit_size
from axonflow_native.processes import ProcessRecord
from axonflow_native.refusal import CannotStart

DATABASE_POLL_S = 2.0
LOG_CHECK_S = 30.0
KILL_MARGIN_S = 10.0


class DatabaseServer(Protocol):
    """What the supervisor needs of the embedded PostgreSQL; an outside database needs no keeping."""

    def start(self) -> None:
        """Start it unless it runs; raises an exception whose text says what is wrong."""

    def stop(self) -> None:
        """Stop it if it runs."""

    @property
    def running(self) -> bool:
        """Whether it runs."""


class Supervisor:
    """Starts, keeps and ends everything.

    Args:
        services: makes them, in the order in which they are ended; called once the database is there, since its
            password is part of their environment.
        database: the embedded PostgreSQL, None when the caller brings one.
        record: takes the services' process ids.
        say: takes one line for the log.
        drain_s: how long a service may take for requests under way once it is told to end.
        pace: patience with services that die.
    """

    def __init__(
        self,
        services: Callable[[], Sequence[Service]],
        database: DatabaseServer | None,
        record: ProcessRecord,
        say: Callable[[str], None],
        *,
        drain_s: float,
        pace: Pace | None = None,
    ) -> None:
        self._pace = pace or Pace()
        self._services = services
        self._record = record
        self._keepers: list[Keeper] = []
        self._database = database
        self._say = say
        self._grace_s = drain_s + KILL_MARGIN_S
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ask for the end; ``run`` then returns in its own time."""
        self._stop.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Run until ``stop`` is called; ``ready`` is called once every service has answered.

        Raises:
            CannotStart: the database or a service cannot be brought up; everything is stopped again.
        """
        tasks: list[asyncio.Task[None]] = []
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await self._start_database()
            self._keepers = [Keeper(one, self._record, self._say, self._pace) for one in self._services()]
            tasks += [asyncio.create_task(keeper.keep()) for keeper in self._keepers]
            if self._database is not None:
                tasks.append(asyncio.create_task(self._keep_database(self._database)))
            tasks.append(asyncio.create_task(self._limit_logs([keeper.service.log_file for keeper in self._keepers])))
            await self._await_health([*tasks, stopping])
            if not self._stop.is_set():
                ready()
                await self._watch([*tasks, stopping])
        finally:
            stopping.cancel()
            await self._end(tasks)

    async def _start_database(self) -> None:
        if self._database is None:
            return
        self._say("PostgreSQL is being started")
        await asyncio.to_thread(self._database.start)
        self._say("PostgreSQL answers")

    async def _await_health(self, others: list[asyncio.Task[None] | asyncio.Task[bool]]) -> None:
        healthy = asyncio.gather(*(keeper.healthy.wait() for keeper in self._keepers))
        try:
            done, _ = await asyncio.wait(
                [healthy, *others], timeout=self._pace.start_limit_s, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done - {healthy}:
                task.result()  # raises what ended it
            if not done:
                raise CannotStart(self._laggards())
        finally:
            healthy.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await healthy

    def _laggards(self) -> str:
        late = [keeper for keeper in self._keepers if not keeper.healthy.is_set()]
        return " ".join(
            f"The {keeper.service.name} did not answer on {keeper.service.health_url} within "
            f"{self._pace.start_limit_s:g} s; it said last: {keeper.last_sentence() or 'nothing'}"
            for keeper in late
        )

    async def _watch(self, tasks: list[asyncio.Task[None] | asyncio.Task[bool]]) -> None:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _keep_database(self, database: DatabaseServer) -> None:
        pause_s = self._pace.first_s
        while True:
            await asyncio.sleep(DATABASE_POLL_S)
            try:
                if await asyncio.to_thread(lambda: database.running):
                    pause_s = self._pace.first_s
                    continue
                self._say("PostgreSQL ended; it alone is started again")
                await asyncio.to_thread(database.start)
                self._say("PostgreSQL answers")
            except Exception as error:  # noqa: BLE001 - whatever hinders it now may have passed by the next try
                self._say(f"PostgreSQL cannot be started, next try in {pause_s:g} s: {error}")
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, self._pace.longest_s)

    async def _limit_logs(self, logs: list[Path]) -> None:
        while True:
            await asyncio.sleep(LOG_CHECK_S)
            for log in logs:
                if await asyncio.to_thread(limit_size, log):
                    self._say(f"{log.name} was full and begins anew; what it held is in {log.name}.1")

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        if self._keepers:
            first, *rest = self._keepers
            await first.end(self._grace_s)
            await asyncio.gather(*(keeper.end(self._grace_s) for keeper in rest))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._database is not None:
            await asyncio.to_thread(self._database.stop)
            self._say("PostgreSQL has ended, its data is kept")
