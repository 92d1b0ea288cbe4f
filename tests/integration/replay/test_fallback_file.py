"""A sealed input goes where its decision's row goes: through the file too, and sealed there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from axonflow_audit import AuditEntry, AuditLog, SealedInputRow
from axonflow_contracts.verdicts import Phase
from axonflow_database import Database
from axonflow_governance.inputs import InputSealer, JudgedInput
from axonflow_orchestrator.replay.store import read_inputs
from axonflow_policy import Content
from axonflow_sealing import Sealer
from axonflow_settings import Secret
from support.audit import AwayForNow, entry, until

TEXT = "canary-wqzjkv is never on a disk"


async def test_a_sealed_input_waits_in_the_file_sealed_and_opens_after_its_replay(
    database: Database, tmp_path: Path
) -> None:
    sealer = InputSealer(Sealer([Secret("ab" * 32)]))
    asked = JudgedInput(
        content=Content.of(TEXT),
        phase=Phase.REQUEST,
        is_admin=False,
        tenant_rules=False,
        gated=True,
        approvals_act=True,
    )
    made = entry()
    row = made.decision
    kept = sealer.keep(asked, row.org_id, row.id)
    detail = SealedInputRow(
        org_id=row.org_id, created_at=row.created_at, id=row.id, sealed=kept.sealed, size_bytes=kept.size_bytes
    )
    away = AwayForNow(database)
    log = await AuditLog.open(away, service="agent", fallback_path=str(tmp_path / "a.jsonl"), commit_wait_s=60.0)
    try:
        await log.write(AuditEntry(row, (*made.details, detail)))
        written = b"".join(path.read_bytes() for path in tmp_path.glob("a.agent.*.jsonl"))
        assert b"sealed_inputs" in written
        assert b"canary" not in written
        away.back = True
        await until(lambda: log.counters.replayed == 1)
    finally:
        await log.close()
    async with database.tenant(row.org_id) as connection:
        found = await read_inputs(connection, row.org_id, [row, msgspec.structs.replace(row, id="none")])
    [stored] = found.values()
    assert stored.sealed is not None
    assert await asyncio.to_thread(sealer.open, stored.sealed, row.org_id, row.id) == asked
    assert not list(tmp_path.glob("*.quarantine"))
