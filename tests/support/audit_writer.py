"""A process that writes audit entries until it is killed, and tells each one that was acknowledged on its output.

Run as ``python -m support.audit_writer <database url> <fallback path> <commit wait in s>``.
"""

from __future__ import annotations

import asyncio
import os
import sys

from axonflow_audit import AuditLog
from axonflow_database import Database

from support.audit import entry
from support.postgres import service_settings

CALLERS = 20


async def _call_for_ever(log: AuditLog) -> None:
    while True:
        written = entry()
        await log.write(written)
        os.write(1, written.decision.decision_id.encode() + b"\n")  # one write a line: a pipe keeps it whole


async def _main(url: str, fallback_path: str, commit_wait_s: float) -> None:
    database = await Database.open(service_settings(url))
    log = await AuditLog.open(
        database, service="agent", fallback_path=fallback_path, commit_wait_s=commit_wait_s, sweep_s=0.2
    )
    await asyncio.gather(*(_call_for_ever(log) for _ in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
