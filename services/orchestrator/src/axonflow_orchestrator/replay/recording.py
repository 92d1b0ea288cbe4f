"""How much of its inputs a tenant has kept: read and changed, each change with a row in the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from axonflow_audit import AuditLog
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.recording import InputMode
from axonflow_database import Database
from axonflow_governance.changes import Author, ChangeRecord
from axonflow_governance.recording import mode_of

from axonflow_orchestrator.callers import reading
from axonflow_orchestrator.replay.store import StoredMode, read_modes, write_mode

REQUEST_TYPE = "recording_change"
WHOLE_ORGANISATION = ""


class ModeChange(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a change."""

    mode: str | None = None


class RecordingSetting(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a tenant's inputs.

    Attributes:
        mode: in force: off, redacted or sealed.
        ceiling: the operator's ``AXONFLOW_RECORD_INPUT``, above which nothing is kept.
        set_by: tenant, organization or operator: whose word the mode follows.
        requested: what was asked for, where that is more than the ceiling allows now; else the mode.
        sealing_available: whether this service has a key; without it nothing sealed can be opened again.
    """

    mode: InputMode
    ceiling: InputMode
    set_by: str
    requested: InputMode
    sealing_available: bool
    changed_by: str | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """Reads and changes.

    Attributes:
        ceiling: ``AXONFLOW_RECORD_INPUT``.
        has_key: whether this service can open what is sealed.
    """

    database: Database
    audit: AuditLog
    ceiling: InputMode
    has_key: bool

    async def get(self, caller: Caller) -> RecordingSetting:
        """What holds for the caller's tenant; for a caller without one, for its organisation.

        Raises:
            Fault: 503.
        """
        async with reading(self.database, caller.org_id) as connection:
            return self._shown(await read_modes(connection, caller.org_id), caller)

    async def change(self, asked: ModeChange, caller: Caller, trace_id: str) -> RecordingSetting:
        """Ask for a mode; it is in force on every replica within a second.

        Raises:
            Fault: 400 for no mode, 403 for more than the operator allows, 503.
        """
        mode = self._allowed(asked)
        async with reading(self.database, caller.org_id) as connection:
            before = self._shown(await read_modes(connection, caller.org_id), caller)
            await write_mode(connection, caller.org_id, caller.tenant_id, mode, Author(caller, trace_id).name)
            found = await read_modes(connection, caller.org_id)
            # Before the commit: a change whose row cannot be kept is rolled back.
            await self._record(caller, before.mode, mode, trace_id)
        return self._shown(found, caller)

    def _allowed(self, asked: ModeChange) -> InputMode:
        try:
            mode = InputMode((asked.mode or "").strip().lower())
        except ValueError:
            raise Fault(400, f"mode must be one of {', '.join(InputMode)}") from None
        if mode.within(self.ceiling) is not mode:
            raise Fault(403, f"This deployment keeps inputs {self.ceiling} at most (AXONFLOW_RECORD_INPUT)")
        return mode

    def _shown(self, modes: dict[str, StoredMode], caller: Caller) -> RecordingSetting:
        own, whole = modes.get(caller.tenant_id), modes.get(WHOLE_ORGANISATION)
        stored = own or whole
        asked = {(caller.org_id, tenant_id): each.mode for tenant_id, each in modes.items()}
        is_tenants = own is not None and caller.tenant_id != WHOLE_ORGANISATION
        return RecordingSetting(
            mode=mode_of(asked, caller.org_id, caller.tenant_id, self.ceiling),
            ceiling=self.ceiling,
            set_by="tenant" if is_tenants else "operator" if stored is None else "organization",
            requested=self.ceiling if stored is None else stored.mode,
            sealing_available=self.has_key,
            changed_by=None if stored is None else stored.changed_by,
            changed_at=None if stored is None else stored.changed_at,
        )

    async def _record(self, caller: Caller, before: InputMode, after: InputMode, trace_id: str) -> None:
        details = {"before": before.value, "after": after.value}
        record = ChangeRecord(self.audit, REQUEST_TYPE)
        await record.keep(Author(caller, trace_id), f"recording of inputs: {after}", details)
