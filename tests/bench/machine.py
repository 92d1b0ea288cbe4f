"""The machine's cores: what is measured has one, everything around it has the others."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil


@dataclasses.dataclass(frozen=True, slots=True)
class Cores:
    """Which cores belong to whom.

    Attributes:
        measured: the one core of the process that is measured; None where processes cannot be pinned.
        around: the cores of load generator, upstream and PostgreSQL.
        lacking: why nothing is pinned, in words.
    """

    measured: int | None
    around: tuple[int, ...]
    lacking: str = ""

    @contextlib.contextmanager
    def for_measured(self) -> Iterator[None]:
        """Processes started within run on the measured core."""
        with _pinned(() if self.measured is None else (self.measured,)):
            yield

    @contextlib.contextmanager
    def for_around(self) -> Iterator[None]:
        """Processes started within keep off the measured core."""
        with _pinned(self.around):
            yield

    def busy_s(self) -> float:
        """Seconds of work that the measured core has done since the machine started."""
        if self.measured is None:
            return 0.0
        times = psutil.cpu_times(percpu=True)[self.measured]
        return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))


def cores() -> Cores:
    if not hasattr(os, "sched_setaffinity"):
        return Cores(None, (), f"{platform.system()} cannot pin processes to cores")
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return Cores(None, (), "there is only one core, shared by all that is measured and all around it")
    return Cores(allowed[0], tuple(allowed[1:]))


@contextlib.contextmanager
def _pinned(to: tuple[int, ...]) -> Iterator[None]:
    # A child inherits it before its first thread exists; pinning it afterwards would miss threads.
    if not to:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, to)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def disk_sync_ms(directory: Path, times: int = 50) -> float:
    """What one durable write of a database page costs here, median; a reply waits for one, a bare forwarder's not."""
    took = []
    with tempfile.TemporaryFile(dir=directory) as file:
        for _ in range(times):
            file.seek(0)
            began = time.perf_counter()
            file.write(bytes(8192))
            file.flush()
            os.fsync(file.fileno())
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def describe() -> dict[str, str | int]:
    model = ""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - not a path of ours
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": model or platform.processor(),
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
    }
