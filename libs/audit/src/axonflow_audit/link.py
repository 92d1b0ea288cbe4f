"""The dedicated connection to PostgreSQL and the way back to it.

After one miss the file comes first, until a replay has shown that the server answers as fast as callers wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Protocol

import psycopg
from axonflow_database import DatabaseUnavailable

from axonflow_audit.counters import AuditCounters
from axonflow_audit.encoding import EncodedEntry
from axonflow_audit.lane import FileLane
from axonflow_audit.replay import LINES_AT_ONCE, discard, replay_chunk
from axonflow_audit.store import insert

logger = logging.getLogger(__name__)

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

# What a server that is away, refuses or hangs raises; everything else is a fault of ours and must be seen.
AWAY = (psycopg.Error, DatabaseUnavailable, OSError)
_CONNECT_LIMIT_S = 5.0
_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 5.0


class AuditConnections(Protocol):
    """What the log needs of the database."""

    async def audit_connection(self) -> Connection:
        """A new connection in autocommit mode, as the role that may only insert audit rows."""


class Place(StrEnum):
    """Where entries go."""

    POSTGRES = "postgres"
    FILE = "file"
    NOWHERE = "nowhere"


class PostgresLink:
    """Commits batches while PostgreSQL answers, and looks for it while it does not.

    Attributes:
        place: where entries go at present.
    """

    def __init__(
        self, database: AuditConnections, file: FileLane, counters: AuditCounters, commit_wait_s: float
    ) -> None:
        self._database = database
        self._file = file
        self._counters = counters
        self._commit_wait_s = commit_wait_s
        self._connection: Connection | None = None
        self._retry_s = _FIRST_RETRY_S
        self._restorer: asyncio.Task[None] | None = None
        self._given_up: set[asyncio.Task[None]] = set()
        self._closed = False
        self.place = Place.POSTGRES

    @property
    def up(self) -> bool:
        """Whether the next batch goes to PostgreSQL."""
        return self._connection is not None

    async def open(self) -> None:
        """Connect, or begin to look for the server."""
        try:
            self._connection = await self.connect()
        except AWAY as error:
            self._miss(error)

    async def connect(self) -> Connection:
        """A connection of the caller's own.

        Raises:
            DatabaseUnavailable, TimeoutError: the server is away.
        """
        async with asyncio.timeout(_CONNECT_LIMIT_S):
            return await self._database.audit_connection()

    async def commit(self, entries: Sequence[EncodedEntry]) -> list[tuple[EncodedEntry, str]] | None:
        """Commit the entries; gives those PostgreSQL cannot hold, or ``None`` when it did not confirm in time.

        What was not confirmed may be committed all the same; the keys of the rows make a second time harmless.
        """
        connection = self._connection
        if connection is None:
            return None
        work = asyncio.ensure_future(insert(connection, entries))
        try:
            await asyncio.wait({work}, timeout=self._commit_wait_s)
        finally:
            if not work.done():
                self._connection = None
                self._give_up(connection, work)
        if not work.done():
            self._miss(TimeoutError())
            return None
        try:
            refused = work.result()
        except AWAY as error:
            self._miss(error)
            return None
        self._retry_s = _FIRST_RETRY_S
        return refused

    def look_for_it(self) -> None:
        """See to it that what stands in the file is brought to PostgreSQL."""
        if not self._closed and (self._restorer is None or self._restorer.done()):
            self._restorer = asyncio.create_task(self._restore(), name="audit-restorer")

    def move(self, place: Place, error: BaseException | None = None) -> None:
        """Note where entries go, and say so when it changes."""
        if place is self.place:
            return
        self.place = place
        if place is Place.NOWHERE:
            logger.error("no place takes audit rows; governed calls are refused", exc_info=error)
        else:
            logger.warning("audit rows go to %s", place)

    async def close(self, timeout_s: float) -> None:
        """Stop looking, and let go of the connection."""
        self._closed = True
        if self._restorer is not None:
            await stop(self._restorer)
        self._leave()
        if self._given_up:
            await asyncio.wait(self._given_up, timeout=timeout_s)

    def _miss(self, error: BaseException) -> None:
        logger.warning("PostgreSQL does not take audit rows (%s); they go to the file", type(error).__name__)
        self._leave()
        self.move(Place.FILE if self._file.writable else Place.NOWHERE)
        self.look_for_it()

    def _leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._give_up(connection)

    def _give_up(self, connection: Connection, work: asyncio.Future[Any] | None = None) -> None:
        task = asyncio.create_task(discard(connection, work))
        self._given_up.add(task)
        task.add_done_callback(self._given_up.discard)

    async def _restore(self) -> None:
        """Try until PostgreSQL has everything that stands in the file, then go back to it."""
        while True:
            await asyncio.sleep(self._retry_s)
            self._retry_s = min(self._retry_s * 2, _LAST_RETRY_S)
            try:
                if not self._file.writable and await self._file.probe() and not self.up:
                    self.move(Place.FILE)
                if await self._replay() and self._file.empty:  # an entry may have come while a connection was let go
                    return
            except AWAY as error:
                logger.info("PostgreSQL is not back yet: %s", type(error).__name__)
            except Exception:  # a fault of ours must not end the search and leave the rows in the file
                logger.exception("replay of the audit fallback file failed")

    async def _replay(self) -> bool:
        """Replay the file in order; true when it is empty and PostgreSQL answers as fast as callers wait."""
        loop = asyncio.get_running_loop()
        connection = await self.connect()
        adopted = False
        took_s = 0.0
        try:
            while True:
                chunk = await self._file.read(LINES_AT_ONCE)
                if chunk.lines or chunk.torn:
                    started = loop.time()
                    await replay_chunk(connection, chunk, self._file.set_aside, self._counters)
                    took_s = loop.time() - started
                    self._file.replayed_to = chunk.end
                elif took_s > self._commit_wait_s:
                    return False  # it answers, but too slowly for callers to wait for
                elif await self._file.finish_replay(self._now_up(connection)):
                    adopted = self._connection is connection
                    return True
        finally:
            if not adopted:
                await discard(connection)

    def _now_up(self, connection: Connection) -> Callable[[], None]:
        """What to do at the moment when the file is empty: go back, with a connection that has shown it works."""

        def back() -> None:
            if self._connection is None and not self._closed:
                self._connection = connection
                self._retry_s = _FIRST_RETRY_S  # a batch that was on its way to the file meanwhile follows soon
                self.move(Place.POSTGRES)

        return back


async def stop(task: asyncio.Task[Any]) -> None:
    """Cancel a task, twice if its connection first wants to ask a silent server to stop; bounded."""
    for _ in range(2):
        if task.done():
            break
        task.cancel()
        await asyncio.wait({task}, timeout=1.0)
