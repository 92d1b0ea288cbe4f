"""Lines of fallback files into PostgreSQL: in order within a file, each entry once, by the keys of its rows.

A replay that stops half-way does no harm: what is already there is met as a conflict and left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import psycopg

from axonflow_audit.counters import AuditCounters
from axonflow_audit.encoding import EncodedEntry, decode
from axonflow_audit.files import Chunk, FallbackPlace, LockedFile
from axonflow_audit.store import insert

logger = logging.getLogger(__name__)

LINES_AT_ONCE = 100
# Longer than a reply waits: nobody waits for a replay, but a frozen server must not hold one for ever.
CHUNK_LIMIT_S = 15.0

SetAside = Callable[[bytes], Awaitable[None]]


async def set_aside_refused(
    refused: Sequence[tuple[EncodedEntry, str]], set_aside: SetAside, counters: AuditCounters
) -> None:
    """Keep entries that PostgreSQL cannot hold in the quarantine file, and say so.

    Raises:
        OSError: the disk did not take them.
    """
    if not refused:
        return
    await set_aside(b"".join(entry.line() for entry, _ in refused))
    counters.add_quarantined(len(refused))
    for _, fault in refused:
        # Neither the row nor the server's text, which may quote the row.
        logger.error("PostgreSQL cannot hold an audit entry; it is in the quarantine file", extra={"sqlstate": fault})


async def replay_chunk(
    connection: psycopg.AsyncConnection, chunk: Chunk, set_aside: SetAside, counters: AuditCounters
) -> None:
    """Commit the entries of some lines.

    Raises:
        psycopg.Error: the server is the trouble; the lines are to be kept.
        TimeoutError: the server did not answer in time.
        OSError: an entry had to go to the quarantine file, and could not.
    """
    entries: list[EncodedEntry] = []
    torn = int(chunk.torn)
    for line in chunk.lines:
        entry = decode(line)
        if entry is not None:
            entries.append(entry)
        elif line.strip():  # a blank line is left by a probe
            torn += 1
    refused: list[tuple[EncodedEntry, str]] = []
    if entries:
        refused = await asyncio.wait_for(insert(connection, entries), CHUNK_LIMIT_S)
        await set_aside_refused(refused, set_aside, counters)
    counters.add_replayed(len(entries) - len(refused))
    if torn:
        counters.add_torn(torn)
        logger.warning("skipped %d audit line(s) that were not written whole", torn)


class OrphanReplay:
    """Claims the files of processes that are gone, and replays them."""

    def __init__(self, place: FallbackPlace, set_aside: SetAside, counters: AuditCounters) -> None:
        self._place = place
        self._set_aside = set_aside
        self._counters = counters
        # How far a file got that could not be finished, so that its lines are not counted twice.
        self._progress: dict[Path, int] = {}
        self._warned: set[Path] = set()

    async def sweep(self, connect: Callable[[], Awaitable[psycopg.AsyncConnection]]) -> int:
        """Replay every file that has no living writer; gives how many were finished.

        A connection is made only when there is something to replay.

        Raises:
            psycopg.Error: the server is the trouble; what is not replayed is kept.
            TimeoutError: it did not answer in time.
            OSError: so is the disk.
        """
        finished = 0
        connection: psycopg.AsyncConnection | None = None
        try:
            for path in await asyncio.to_thread(self._place.files):
                orphan = await asyncio.to_thread(self._claim, path)
                if orphan is None:
                    continue
                emptied = False
                try:
                    if orphan.size and connection is None:
                        connection = await connect()
                    if connection is not None:
                        await self._replay(connection, orphan)
                    emptied = True
                finally:
                    # Not in a thread: a cancelled sweep must still give the lock back.
                    orphan.release(remove=emptied)
                self._progress.pop(path, None)
                finished += 1
        finally:
            if connection is not None:
                await connection.close()
        return finished

    def _claim(self, path: Path) -> LockedFile | None:
        try:
            return LockedFile.claim(path)
        except OSError as error:
            if path not in self._warned:
                self._warned.add(path)
                logger.error(  # noqa: TRY400 - the cause is in the sentence
                    "audit entries in %s cannot be replayed (%s): give the file to the account of this service",
                    path,
                    error.strerror,
                )
            return None

    async def _replay(self, connection: psycopg.AsyncConnection, orphan: LockedFile) -> None:
        offset = self._progress.get(orphan.path, 0)
        if offset > orphan.size:
            offset = 0
        while True:
            chunk = await asyncio.to_thread(orphan.read, offset, LINES_AT_ONCE)
            if not chunk.lines and not chunk.torn:
                break
            await replay_chunk(connection, chunk, self._set_aside, self._counters)
            offset = self._progress[orphan.path] = chunk.end
        logger.info("replayed the audit entries of %s", orphan.path)


async def discard(connection: psycopg.AsyncConnection, work: asyncio.Future[object] | None = None) -> None:
    """Give up a connection, in the midst of ``work`` or not, without waiting for a server that does not answer."""
    if work is not None:
        # The first cancellation asks the server to stop; the second closes the socket whatever it says.
        for _ in range(2):
            if work.done():
                break
            work.cancel()
            await asyncio.wait({work}, timeout=2.0)
        with contextlib.suppress(asyncio.CancelledError, asyncio.InvalidStateError):
            work.exception()  # looked at, so that nobody warns that nobody did
    with contextlib.suppress(psycopg.Error, OSError):
        await connection.close()
