"""What durable rows cost: group commit against one transaction an entry, the file, and the asynchronous mode.

Run as ``python tests/bench/audit.py``; ratios of one interleaved run are what counts, the machine varies.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from axonflow_audit import AuditEntry, AuditLog
from axonflow_audit.encoding import encode
from axonflow_audit.store import insert
from axonflow_database import Database
from psycopg import sql
from support.audit import entry
from support.postgres import Server, running_server, service_settings

CALLERS = 50
ENTRIES = 2_000
ROUNDS = 5

Write = Callable[[AuditEntry], Awaitable[object]]


async def rate(write: Write, count: int = ENTRIES) -> tuple[float, float]:
    """Entries a second from concurrent callers, and microseconds of this process's CPU an entry."""
    entries = iter([entry() for _ in range(count)])

    async def call() -> None:
        for each in entries:
            await write(each)

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return count / (time.perf_counter() - wall), (time.process_time() - cpu) / count * 1e6


class _Nowhere:
    """A database that is away."""

    async def audit_connection(self) -> object:
        raise OSError


@contextlib.asynccontextmanager
async def ways(database: Database, directory: Path) -> AsyncIterator[dict[str, Write]]:
    """The ways to write that are compared."""
    group = await AuditLog.open(database, service="bench", fallback_path=str(directory / "g.jsonl"), commit_wait_s=10)
    later = await AuditLog.open(
        database, service="bench", fallback_path=str(directory / "l.jsonl"), commit_wait_s=10, asynchronous=True
    )
    away = await AuditLog.open(_Nowhere(), service="bench", fallback_path=str(directory / "f.jsonl"))  # type: ignore[arg-type]
    connection, turn = await database.audit_connection(), asyncio.Lock()

    async def alone(each: AuditEntry) -> None:
        async with turn:
            await insert(connection, [encode(each)])

    yield {"group commit": group.write, "one by one": alone, "asynchronous": later.write, "file": away.write}
    for log in (group, later, away):
        await log.close(timeout_s=60)
    await connection.close()


async def measure(url: str, directory: Path) -> dict[str, tuple[float, float]]:
    """The median of each way over interleaved rounds."""
    database = await Database.open(service_settings(url))
    found: dict[str, list[tuple[float, float]]] = {}
    async with ways(database, directory) as writes:
        for _ in range(ROUNDS):
            for name, write in writes.items():
                count = ENTRIES if name != "one by one" else ENTRIES // 10
                found.setdefault(name, []).append(await rate(write, count))
    await database.close()
    return {
        name: (statistics.median(rates), statistics.median(costs))
        for name, (rates, costs) in ((name, zip(*values, strict=True)) for name, values in found.items())
    }


def durable(server: Server) -> None:
    """Make the test server sync as a real one does."""
    server.execute(sql.SQL("ALTER SYSTEM SET fsync = on"))
    server.execute(sql.SQL("SELECT pg_reload_conf()"))


def main() -> None:
    """Measure, and print the ratios."""
    with running_server() as server, tempfile.TemporaryDirectory() as directory:
        server.make_template()
        durable(server)
        with server.database() as url:
            result = asyncio.run(measure(url, Path(directory)))
    base_rate, base_cost = result["group commit"]
    print(f"{'way':<14}{'entries/s':>11}{'CPU µs':>9}{'rate ÷ group':>14}{'CPU ÷ group':>13}")
    for name, (per_s, cost) in result.items():
        print(f"{name:<14}{per_s:>11.0f}{cost:>9.0f}{per_s / base_rate:>14.2f}{cost / base_cost:>13.2f}")


if __name__ == "__main__":
    main()
