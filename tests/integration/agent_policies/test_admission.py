"""Policies are compiled before they are written: what cannot be judged in its limits never becomes a policy."""

from __future__ import annotations

import pytest
from axonflow_agent.policies.bodies import NewPolicy, PolicyChange
from axonflow_agent.policies.editor import PolicyEditor
from axonflow_audit import AuditEntry
from axonflow_contracts.caller import Caller, CallerKind, User
from axonflow_contracts.errors import Fault
from axonflow_contracts.posture import Posture
from axonflow_database import Database
from axonflow_governance import PolicySource
from axonflow_governance.changes import Author, ChangeRecord
from axonflow_governance.compiling import CompileLimits, PolicyCompiler
from axonflow_settings import Edition
from axonflow_settings.deployment import EDITIONS

AUTHOR = Author(
    Caller(org_id="acme", tenant_id="tellers", client_id="c", kind=CallerKind.CLIENT, user=User()), "0" * 32
)
NEW = NewPolicy(name="N", pattern="project-[a-z]{4,8}", category="custom", action="warn")
STORED = "SELECT pattern, enabled, version FROM static_policies WHERE org_id = 'acme'"


class Log:
    """Rows as the decision record gets them."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    async def write(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


def editor_with(database: Database, log: Log, limits: CompileLimits | None = None) -> PolicyEditor:
    changes = ChangeRecord(log)  # type: ignore[arg-type]  # all that a record needs of a log
    gate = PolicySource(database, Posture(), compiler=PolicyCompiler(limits)).gate
    return PolicyEditor(database, Edition.ENTERPRISE, EDITIONS[Edition.ENTERPRISE], changes, gate)


async def stored(database: Database) -> list[tuple[str, bool, int]]:
    async with database.tenant("acme") as connection:
        return [tuple(row) for row in await (await connection.execute(STORED)).fetchall()]  # type: ignore[misc]


async def test_what_is_refused_is_told_why_and_changes_nothing(database: Database) -> None:
    log = Log()
    made = await editor_with(database, log).create(NEW, AUTHOR)
    before, rows = await stored(database), len(log.entries)
    strict = editor_with(database, log, CompileLimits(scan_ms=0.0))
    for change in (
        strict.create(NEW, AUTHOR),
        strict.update(made.policy_id, PolicyChange(pattern="other"), AUTHOR),
    ):
        with pytest.raises(Fault, match=r"Invalid regex pattern: a scan of 100 KB takes") as caught:
            await change
        assert caught.value.status == 400
    assert (await stored(database), len(log.entries)) == (before, rows)


async def test_a_policy_can_be_turned_off_whatever_compiling_would_say(database: Database) -> None:
    log = Log()
    made = await editor_with(database, log).create(NEW, AUTHOR)
    strict = editor_with(database, log, CompileLimits(scan_ms=0.0))
    off = await strict.toggle(made.policy_id, AUTHOR, enabled=False)
    assert not off.enabled
    await strict.delete(made.policy_id, AUTHOR)
