"""The fallback file on disk: created, locked, appended and synced, read back, claimed from the dead, removed.

Everything here blocks and belongs in a thread. A file is one process's own while that process holds its ``flock``;
whoever gets the lock of somebody's file knows that its writer is gone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import glob
import os
import re
import socket
import stat
import time
from pathlib import Path

from axonflow_audit.errors import AuditDirectoryError

_MODE = 0o600
_BLOCK = 256 * 1024
_sync = getattr(os, "fdatasync", os.fsync)  # not everywhere; both make the new length durable


@dataclasses.dataclass(frozen=True, slots=True)
class FallbackPlace:
    """Where a service keeps its files: ``<directory>/<stem>.<service>.<host>.<start>.jsonl``."""

    directory: Path
    stem: str
    service: str
    host: str

    @classmethod
    def of(cls, fallback_path: str, service: str) -> FallbackPlace:
        """The place that ``AUDIT_FALLBACK_PATH`` names, for ``service`` on this host."""
        path = Path(fallback_path)
        host = re.sub(r"[^A-Za-z0-9_-]+", "-", socket.gethostname())[:64] or "host"
        return cls(directory=path.parent, stem=path.name.removesuffix(".jsonl"), service=service, host=host)

    def new_path(self) -> Path:
        """A name that no file has had: it ends in the time in nanoseconds."""
        return self.directory / f"{self.stem}.{self.service}.{self.host}.{time.time_ns()}.jsonl"

    def files(self) -> list[Path]:
        """The fallback files of all services and hosts that share the directory, oldest first."""
        found = self.directory.glob(f"{glob.escape(self.stem)}.*.jsonl")
        return sorted(found, key=lambda path: (path.name.rsplit(".", 2)[-2].zfill(24), path.name))

    def check(self) -> None:
        """See to it that the directory exists and is ours to write.

        Raises:
            AuditDirectoryError: it cannot be made, is read-only, or belongs to another account.
        """
        where = f"AUDIT_FALLBACK_PATH: the directory {self.directory}"
        try:
            self.directory.mkdir(mode=0o750, parents=True, exist_ok=True)
            found = self.directory.stat()
        except OSError as error:
            raise AuditDirectoryError(
                f"{where} cannot be made ({error.strerror}): make it and give it to uid {os.geteuid()}, "
                "or name another place"
            ) from error
        # Whoever owns the directory can remove files from it; root can in any case.
        if found.st_uid not in {os.geteuid(), 0}:
            raise AuditDirectoryError(
                f"{where} belongs to uid {found.st_uid}, and this process runs as uid {os.geteuid()}: "
                f"`chown {os.geteuid()} {self.directory}`"
            )
        # Root may write where the mode says nobody should; it is told as any other account would be.
        if not found.st_mode & 0o222 or not os.access(self.directory, os.W_OK | os.X_OK, effective_ids=_effective()):
            raise AuditDirectoryError(
                f"{where} is read-only for uid {os.geteuid()}: mount it writable, or `chown {os.geteuid()} "
                f"{self.directory}` and `chmod u+rwx {self.directory}`"
            )


def _effective() -> bool:
    return os.access in os.supports_effective_ids


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of a file and the offset behind them; a last line without its newline comes as ``torn``."""

    lines: tuple[bytes, ...]
    end: int
    torn: bool


class LockedFile:
    """A fallback file whose lock this process holds."""

    __slots__ = ("_fd", "broken", "path", "size")

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd
        self.size = os.fstat(fd).st_size
        self.broken = False

    @classmethod
    def create(cls, place: FallbackPlace) -> LockedFile:
        """A new empty file of this process.

        Raises:
            OSError: the directory does not take it.
        """
        while True:
            path = place.new_path()
            with contextlib.suppress(FileExistsError):
                fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW, _MODE)
                # Between creation and lock another process may have taken it for an orphan, and have removed it.
                if _lock(path, fd):
                    _sync_directory(place.directory)
                    return cls(path, fd)

    @classmethod
    def claim(cls, path: Path) -> LockedFile | None:
        """The file at ``path`` if its writer is gone, else ``None``.

        Raises:
            OSError: the file is there and cannot be opened, for example because it belongs to another account.
        """
        try:
            fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            return None
        return cls(path, fd) if _lock(path, fd) else None

    def append(self, lines: bytes, max_bytes: int) -> None:
        """Write whole lines and sync them; on failure nothing of them stays.

        Raises:
            OSError: the disk is full or failing, or the file would outgrow ``max_bytes``.
        """
        if self.size + len(lines) > max_bytes:
            raise OSError(errno.EFBIG, f"the fallback file would outgrow {max_bytes} bytes")
        try:
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            _sync(self._fd)
        except OSError:
            # A part of a line must not stand before the next whole one. After a failed sync the kernel may have
            # forgotten what it could not write, so a file that cannot be set right is not written again.
            try:
                os.ftruncate(self._fd, self.size)
                _sync(self._fd)
            except OSError:
                self.broken = True
            raise
        self.size += len(lines)

    def read(self, offset: int, max_lines: int) -> Chunk:
        """Up to ``max_lines`` lines from ``offset``; no lines and not torn means the end."""
        length = _BLOCK
        while True:
            block = os.pread(self._fd, min(length, self.size - offset), offset)
            at_end = offset + len(block) >= self.size
            if b"\n" in block or at_end:
                break
            length *= 4
        *whole, tail = block.split(b"\n")
        taken = whole[:max_lines]
        end = offset + sum(len(line) + 1 for line in taken)
        torn = at_end and bool(tail) and len(taken) == len(whole)
        return Chunk(lines=tuple(taken), end=self.size if torn else end, torn=torn)

    def clear(self) -> None:
        """Forget the content, all of which has found its way to PostgreSQL."""
        os.ftruncate(self._fd, 0)
        self.size = 0
        _sync(self._fd)

    def release(self, *, remove: bool) -> None:
        """Give the lock back; with ``remove``, the file goes first, so that nobody claims it in between."""
        try:
            if remove and _still_there(self.path, self._fd):
                self.path.unlink()
        finally:
            os.close(self._fd)


def set_aside(path: Path, lines: bytes) -> None:
    """Append lines to the file at ``path``, where no replay looks, and sync them.

    Raises:
        OSError: the disk did not take them.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, _MODE)
    try:
        before = os.fstat(fd).st_size
        try:
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(fd, rest) :]
            os.fsync(fd)
        except OSError:
            os.ftruncate(fd, before)
            raise
    finally:
        os.close(fd)


def _lock(path: Path, fd: int) -> bool:
    """Lock ``fd`` without waiting; close it unless the lock is ours and ``path`` still names it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return False
    except OSError:
        os.close(fd)
        raise
    if _still_there(path, fd):
        return True
    os.close(fd)
    return False


def _still_there(path: Path, fd: int) -> bool:
    try:
        named = path.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(fd))


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
