"""Remembers the process ids of running services, so that those of a killed supervisor can be found and ended.

An id is kept with its start time: one that the system has given to another program since is left alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

END_TIMEOUT_S = 10.0
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def start_time(pid: int) -> str | None:
    """When process ``pid`` began, in the system's own notation; None when there is none."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:  # the command's name, in parentheses, may hold blanks; the start is the 20th field after it
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else fields[19]
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants, so that a killed postmaster can be reaped; Linux only.

    Where the first process of a container reaps nobody, a dead postmaster would look alive for ever.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap(pid: int) -> None:
    """Take leave of ``pid`` if it was adopted and has ended."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


class ProcessRecord:
    """The file of running services of one checkout; written by the supervisor alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, name: str, pid: int) -> None:
        """Remember that service ``name`` runs as ``pid``."""
        self._write({**self._read(), name: (pid, start_time(pid) or "")})

    def forget(self, name: str) -> None:
        """The service has ended."""
        self._write({key: value for key, value in self._read().items() if key != name})

    def alive(self) -> dict[str, int]:
        """Name and process id of those noted that still run."""
        return {name: pid for name, (pid, began) in self._read().items() if began and start_time(pid) == began}

    def end_all(self) -> list[str]:
        """End every one that still runs, by force after ten seconds; returns their names."""
        found = self.alive()
        deadline = time.monotonic() + END_TIMEOUT_S
        for pid in found.values():
            _signal(pid, signal.SIGTERM)
        while self.alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in self.alive().values():
            _signal(pid, signal.SIGKILL)
        self._path.unlink(missing_ok=True)
        return sorted(found)

    def _read(self) -> dict[str, tuple[int, str]]:
        try:
            noted = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(name): (int(pid), str(began)) for name, (pid, began) in noted.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def _write(self, noted: dict[str, tuple[int, str]]) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_text(json.dumps(noted), encoding="utf-8")
        fresh.replace(self._path)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
