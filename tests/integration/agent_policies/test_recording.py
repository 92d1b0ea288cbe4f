"""A change and its audit row stand or fall together."""

from __future__ import annotations

import pytest
from axonflow_agent.overrides.service import OverrideBody, OverrideService
from axonflow_agent.policies.bodies import NewPolicy, PolicyChange
from axonflow_agent.policies.editor import PolicyEditor
from axonflow_audit import AuditEntry, AuditUnavailable
from axonflow_contracts.caller import Caller, CallerKind, User
from axonflow_contracts.errors import Fault
from axonflow_contracts.posture import Posture
from axonflow_database import Database
from axonflow_governance import PolicySource
from axonflow_governance.changes import Author, ChangeRecord
from axonflow_policy import CATALOGUE_VERSION, catalogue
from axonflow_settings import Edition
from axonflow_settings.deployment import EDITIONS

CALLER = Caller(
    org_id="acme", tenant_id="tellers", client_id="c", kind=CallerKind.CLIENT, user=User(id="7", email="ann@acme.test")
)
AUTHOR = Author(CALLER, "0" * 32)
NEW = NewPolicy(name="N", pattern="x", category="custom", action="warn")
COUNTS = """
    SELECT (SELECT count(*) FROM static_policies WHERE org_id = 'acme' AND deleted_at IS NULL AND action = 'warn'),
           (SELECT count(*) FROM static_policy_versions), (SELECT count(*) FROM policy_overrides WHERE ended_at IS NULL)
"""


class Recorder:
    """An audit log that can be full."""

    def __init__(self) -> None:
        self.full = False
        self.entries: list[AuditEntry] = []

    async def write(self, entry: AuditEntry) -> None:
        if self.full:
            raise AuditUnavailable("no place is left")
        self.entries.append(entry)


@pytest.fixture
def log() -> Recorder:
    return Recorder()


@pytest.fixture
def editor(database: Database, log: Recorder) -> PolicyEditor:
    changes = ChangeRecord(log)  # type: ignore[arg-type]  # all that a record needs of a log
    gate = PolicySource(database, Posture()).gate
    return PolicyEditor(database, Edition.ENTERPRISE, EDITIONS[Edition.ENTERPRISE], changes, gate)


async def counts(database: Database) -> tuple[int, int, int]:
    async with database.tenant("acme") as connection:
        row = await (await connection.execute(COUNTS)).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


async def test_a_change_that_cannot_be_recorded_is_not_made(
    database: Database, editor: PolicyEditor, log: Recorder
) -> None:
    made = await editor.create(NEW, AUTHOR)
    log.full = True
    for change in (
        editor.create(NEW, AUTHOR),
        editor.update(made.policy_id, PolicyChange(action="block"), AUTHOR),
        editor.delete(made.policy_id, AUTHOR),
    ):
        with pytest.raises(Fault, match="cannot be recorded") as caught:
            await change
        assert caught.value.status == 503
    assert await counts(database) == (1, 1, 0)


async def test_a_row_says_who_and_what_and_never_the_pattern(editor: PolicyEditor, log: Recorder) -> None:
    made = await editor.create(NewPolicy(name="N", pattern="canary-word", category="custom", action="warn"), AUTHOR)
    row = log.entries[0].decision
    assert (row.user_email, row.client_id, row.trace_id) == ("ann@acme.test", "c", "0" * 32)
    assert (row.metadata["policy_id"], made.created_by) == (made.policy_id, "ann@acme.test")
    assert "canary-word" not in str(row)


async def test_an_override_that_cannot_be_recorded_is_not_made(database: Database, log: Recorder) -> None:
    from axonflow_governance import store

    async with database.platform() as connection:
        await store.upsert_catalogue(connection, catalogue(), CATALOGUE_VERSION)
    service = OverrideService(
        database=database,
        in_force=lambda: {policy.id: policy for policy in catalogue()},
        posture=Posture(),
        allowed=True,
        strict=False,
        changes=ChangeRecord(log),  # type: ignore[arg-type]  # all that a record needs of a log
    )
    log.full = True
    with pytest.raises(Fault, match="cannot be recorded"):
        await service.create("sys_pii_ssn", OverrideBody(action_override="block", override_reason="r"), AUTHOR)
    assert (await counts(database))[2] == 0
