"""This process's fallback file as the event loop sees it: work goes to a thread of its own, and waiting is bounded."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import errno
import logging
import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from axonflow_audit.errors import AuditDirectoryError
from axonflow_audit.files import Chunk, FallbackPlace, LockedFile, set_aside

logger = logging.getLogger(__name__)

# Not a matter of the moment, as a full disk is: somebody has to put it right.
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR}

P = ParamSpec("P")
T = TypeVar("T")


class FileLane:
    """Appends to the process's own file, and hands it back for replay.

    Attributes:
        writable: whether the last attempt to write succeeded.
        replayed_to: offset up to which the file's lines are in PostgreSQL.
    """

    def __init__(self, place: FallbackPlace, *, max_bytes: int, wait_s: float) -> None:
        """Prepare; nothing is opened yet.

        Args:
            place: where the file goes.
            max_bytes: size it may not outgrow.
            wait_s: how long a disk may take over one piece of work.
        """
        self._place = place
        self._max_bytes = max_bytes
        self._wait_s = wait_s
        self._quarantine = place.new_path().with_suffix(".quarantine")
        self._file: LockedFile | None = None
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "axonflow-audit-file")
        self._lock = asyncio.Lock()
        self._stuck: asyncio.Future[Any] | None = None
        self.writable = False
        self.replayed_to = 0

    async def open(self) -> None:
        """Check the directory and make the file.

        Raises:
            AuditDirectoryError: the directory cannot be used.
            OSError: the disk does not take another file now; a later append tries again.
        """
        await self._run(self._place.check)
        async with self._lock:
            try:
                await self._run(self._opened)
            except OSError as error:
                if error.errno in _FORBIDDEN:
                    raise AuditDirectoryError(
                        f"AUDIT_FALLBACK_PATH: the directory {self._place.directory} takes no file "
                        f"({error.strerror}): mount it writable and let uid {os.geteuid()} write there"
                    ) from error
                raise
        self.writable = True

    @property
    def empty(self) -> bool:
        """Whether nothing waits for replay."""
        return self._file is None or self._file.size == self.replayed_to

    async def append(self, lines: bytes) -> None:
        """Write and sync whole lines.

        Raises:
            OSError: they are not on disk.
        """
        async with self._lock:
            try:
                await self._run(self._append, lines)
            except OSError:
                self.writable = False
                raise
            self.writable = True

    async def probe(self) -> bool:
        """Try whether an unwritable place takes data again; a blank line is no entry, and as long as many are."""
        try:
            await self.append(b" " * 8_191 + b"\n")
        except OSError:
            return False
        return True

    async def read(self, max_lines: int) -> Chunk:
        """The next lines to replay."""
        return await self._run(self._read, max_lines)

    async def finish_replay(self, back: Callable[[], None]) -> bool:
        """Empty the file and call ``back`` if every line has been replayed; appends wait meanwhile, so none is lost."""
        async with self._lock:
            if not self.empty:
                return False
            await self._run(self._clear)
            back()
            return True

    async def set_aside(self, lines: bytes) -> None:
        """Put lines that PostgreSQL cannot hold where no replay looks.

        Raises:
            OSError: the disk did not take them.
        """
        await self._run(set_aside, self._quarantine, lines)

    async def close(self) -> None:
        """Let go of the file: removed when nothing is left to replay, else left for an heir."""
        with contextlib.suppress(OSError):
            async with self._lock:
                await self._run(self._release)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do ``work`` in the file's thread.

        Raises:
            TimeoutError: the disk did not answer in time, now or for an earlier piece of work.
        """
        if self._stuck is not None and not self._stuck.done():
            raise TimeoutError("the disk has not answered yet")
        job = asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*args, **kwargs))
        job.add_done_callback(lambda done: done.cancelled() or done.exception())
        finished, _ = await asyncio.wait({job}, timeout=self._wait_s)
        if not finished:
            self._stuck = job  # its lines may yet land; replay is by key, so that does no harm
            raise TimeoutError(f"the disk did not answer within {self._wait_s:g} s")
        return job.result()

    def _opened(self) -> LockedFile:
        if self._file is None:
            self._file = LockedFile.create(self._place)
            self.replayed_to = 0
        return self._file

    def _append(self, lines: bytes) -> None:
        file = self._opened()
        try:
            file.append(lines, self._max_bytes)
        except OSError:
            if file.broken:
                # Left as an orphan: what stands in it whole is replayed from there.
                logger.exception("the audit fallback file %s failed; another one takes its place", file.path)
                self._file = None
                file.release(remove=False)
            raise

    def _read(self, max_lines: int) -> Chunk:
        if self._file is None:
            return Chunk(lines=(), end=0, torn=False)
        return self._file.read(self.replayed_to, max_lines)

    def _clear(self) -> None:
        if self._file is not None and self._file.size:
            self._file.clear()
        self.replayed_to = 0

    def _release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.release(remove=file.size == self.replayed_to)
