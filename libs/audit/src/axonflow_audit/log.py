"""The one way in for audit rows: ``write`` returns when the entry is durable, in PostgreSQL or in the synced file.

Entries of concurrent callers share a transaction; while one batch is under way the next one gathers. It refuses to
lose an entry quietly: when neither place takes it, its caller hears ``AuditUnavailable``.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import logging
from collections.abc import Sequence

from axonflow_telemetry import Metrics

from axonflow_audit.counters import AuditCounters
from axonflow_audit.encoding import EncodedEntry, encode
from axonflow_audit.errors import AuditUnavailable
from axonflow_audit.files import FallbackPlace
from axonflow_audit.lane import FileLane
from axonflow_audit.link import AWAY, AuditConnections, Place, PostgresLink, stop
from axonflow_audit.replay import OrphanReplay, set_aside_refused
from axonflow_audit.rows import AuditEntry

logger = logging.getLogger(__name__)

DEFAULT_COMMIT_WAIT_S = 0.25
DEFAULT_FILE_BYTES = 1 << 30
DEFAULT_SWEEP_S = 10.0
QUEUE_ENTRIES = 10_000
_BATCH_ENTRIES = 100
_BATCH_BYTES = 4_000_000
_DISK_WAIT_S = 5.0
_NOWHERE_PAUSE_S = 0.1


@dataclasses.dataclass(slots=True, eq=False)
class _Waiting:
    entry: EncodedEntry
    durable: asyncio.Future[None] | None  # None: nobody waits


class AuditLog:
    """Durable audit rows for one process; made by ``open``.

    Attributes:
        counters: what became of the entries.
    """

    def __init__(
        self,
        file: FileLane,
        link: PostgresLink,
        orphans: OrphanReplay,
        counters: AuditCounters,
        *,
        asynchronous: bool,
        sweep_s: float,
    ) -> None:
        self._file = file
        self._link = link
        self._orphans = orphans
        self.counters = counters
        self._asynchronous = asynchronous
        self._sweep_s = sweep_s
        self._pending: collections.deque[_Waiting] = collections.deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls,
        database: AuditConnections,
        *,
        service: str,
        fallback_path: str,
        commit_wait_s: float = DEFAULT_COMMIT_WAIT_S,
        asynchronous: bool = False,
        max_file_bytes: int = DEFAULT_FILE_BYTES,
        metrics: Metrics | None = None,
        sweep_s: float = DEFAULT_SWEEP_S,
    ) -> AuditLog:
        """Open the log; PostgreSQL may be away, the directory of the file may not.

        Args:
            database: gives connections of the insert-only role.
            service: part of the file's name.
            fallback_path: ``AUDIT_FALLBACK_PATH``, the stem of the files.
            commit_wait_s: how long a caller waits for PostgreSQL (``AUDIT_COMMIT_WAIT_MS``), in seconds.
            asynchronous: ``write`` returns at once (``AGENT_PERFORMANCE_MODE``).
            max_file_bytes: size the file may not outgrow.
            metrics: where the counters are mirrored.
            sweep_s: how often to look for files of dead processes, in seconds.

        Raises:
            AuditDirectoryError: the directory cannot be used; the service must not start.
        """
        counters = AuditCounters(metrics)
        place = FallbackPlace.of(fallback_path, service)
        file = FileLane(place, max_bytes=max_file_bytes, wait_s=_DISK_WAIT_S)
        link = PostgresLink(database, file, counters, commit_wait_s)
        orphans = OrphanReplay(place, file.set_aside, counters)
        log = cls(file, link, orphans, counters, asynchronous=asynchronous, sweep_s=sweep_s)
        with contextlib.suppress(OSError):  # a full disk is no reason not to start while PostgreSQL is there
            await file.open()
        await link.open()
        log._tasks = [
            asyncio.create_task(log._write_batches(), name="audit-writer"),
            asyncio.create_task(log._sweep_forever(), name="audit-sweeper"),
        ]
        if metrics is not None:
            metrics.watch_audit_writable(lambda: log.writable)
        return log

    @property
    def place(self) -> Place:
        """Where entries go at present; all but ``postgres`` is for ``/ready`` to tell."""
        return self._link.place

    @property
    def writable(self) -> bool:
        """Whether the last entry, or the last probe, found a place; false means 503 for governed calls."""
        return self.place is not Place.NOWHERE and not self._closing

    async def write(self, entry: AuditEntry) -> None:
        """Make ``entry`` durable; returns when it is (at once in the asynchronous mode).

        Raises:
            AuditUnavailable: no place takes it, or the log is closed.
            ValueError: a ``created_at`` has no zone.
        """
        if self._closing:
            raise AuditUnavailable("the audit log is closed")
        encoded = encode(entry)
        if self._asynchronous:
            await self._write_later(encoded)
            return
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append(_Waiting(encoded, durable))
        self._arrived.set()
        await durable

    async def sweep(self) -> int:
        """Replay the files of processes that are gone, now; gives how many were finished.

        Raises:
            DatabaseUnavailable, psycopg.Error, OSError: what is not replayed is kept.
        """
        return await self._orphans.sweep(self._link.connect)

    async def close(self, timeout_s: float = 10.0) -> None:
        """Refuse new entries; those under way go to PostgreSQL within ``timeout_s`` seconds, else to the file."""
        if self._closing:
            return
        self._closing = True
        self._arrived.set()
        writer, sweeper = self._tasks
        await stop(sweeper)
        await asyncio.wait({writer}, timeout=timeout_s)
        await stop(writer)
        await self._link.close(timeout_s=1.0)
        left = list(self._pending)
        self._pending.clear()
        if left:
            await self._spill(left)
        await self._file.close()

    async def _write_later(self, encoded: EncodedEntry) -> None:
        if not self.writable:
            raise AuditUnavailable("neither PostgreSQL nor the fallback file takes audit rows")
        if len(self._pending) < QUEUE_ENTRIES:
            self._pending.append(_Waiting(encoded, None))
            self._arrived.set()
            return
        # The queue is bounded, and nothing is dropped: what does not fit goes past it, to the file.
        try:
            await self._file.append(encoded.line())
        except OSError as error:
            self.counters.add_failed(1)
            raise AuditUnavailable("the audit queue is full and the fallback file takes nothing") from error
        self.counters.add_fallen_back(1)
        self._link.look_for_it()

    async def _write_batches(self) -> None:
        while self._pending or not self._closing:
            if not self._pending:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            batch = self._next_batch()
            try:
                await self._make_durable(batch)
            except asyncio.CancelledError:
                self._pending.extendleft(reversed(batch))
                raise
            except Exception as error:
                # A fault of ours must not end the writer and leave every later caller waiting for ever.
                logger.exception("the audit writer failed on a batch")
                self._refuse(batch, error)

    def _next_batch(self) -> list[_Waiting]:
        batch = [self._pending.popleft()]
        size = batch[0].entry.size
        while self._pending and len(batch) < _BATCH_ENTRIES and size + self._pending[0].entry.size <= _BATCH_BYTES:
            batch.append(self._pending.popleft())
            size += batch[-1].entry.size
        return batch

    async def _make_durable(self, batch: Sequence[_Waiting]) -> None:
        refused = await self._link.commit([waiting.entry for waiting in batch])
        if refused is None:
            await self._spill(batch)
            return
        bad = {id(entry) for entry, _ in refused}
        good = [waiting for waiting in batch if id(waiting.entry) not in bad]
        self.counters.add_written(len(good))
        _answer(good)
        if bad:
            poisoned = [waiting for waiting in batch if id(waiting.entry) in bad]
            try:
                await set_aside_refused(refused, self._file.set_aside, self.counters)
            except OSError as error:
                self._refuse(poisoned, error)
            else:
                _answer(poisoned)

    async def _spill(self, batch: Sequence[_Waiting]) -> None:
        """Sync the batch to the file and answer its callers, or refuse them."""
        try:
            await self._file.append(b"".join(waiting.entry.line() for waiting in batch))
        except OSError as error:
            await self._nowhere(batch, error)
            return
        self.counters.add_fallen_back(len(batch))
        _answer(batch)
        if not self._link.up:
            self._link.move(Place.FILE)
        self._link.look_for_it()

    async def _nowhere(self, batch: Sequence[_Waiting], error: OSError) -> None:
        if not self._link.up:
            self._link.move(Place.NOWHERE, error)
        self._link.look_for_it()
        self._refuse([waiting for waiting in batch if waiting.durable is not None], error)
        answered = [waiting for waiting in batch if waiting.durable is None]
        if answered and not self._closing:
            # Their callers have their answers: keep them, and try again when there may be room.
            self._pending.extendleft(reversed(answered))
            await asyncio.sleep(_NOWHERE_PAUSE_S)
        elif answered:
            self.counters.add_failed(len(answered))
            logger.error("%d audit entries are lost: no place takes them and the process ends", len(answered))

    def _refuse(self, batch: Sequence[_Waiting], cause: BaseException) -> None:
        self.counters.add_failed(len(batch))
        for waiting in batch:
            if waiting.durable is not None and not waiting.durable.done():
                refusal = AuditUnavailable("no place takes audit rows")
                refusal.__cause__ = cause
                waiting.durable.set_exception(refusal)

    async def _sweep_forever(self) -> None:
        while True:
            if self._link.up:
                try:
                    await self.sweep()
                except AWAY as error:
                    logger.info("replay of orphaned audit files waits: %s", type(error).__name__)
                except Exception:  # a fault of ours must not end the sweeps
                    logger.exception("replay of orphaned audit files failed")
            await asyncio.sleep(self._sweep_s)


def _answer(batch: Sequence[_Waiting]) -> None:
    for waiting in batch:
        if waiting.durable is not None and not waiting.durable.done():
            waiting.durable.set_result(None)
