"""What happened to which tool's lock, as rows of the decision record, written before the change is committed."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_audit import AuditLog
from axonflow_contracts.verdicts import Verdict
from axonflow_governance.changes import Author, ChangeRecord

from axonflow_orchestrator.connectors.records import Installed
from axonflow_orchestrator.tool_locks.records import Lock

REQUEST_TYPE = "tool_lock_change"
_REFUSES = frozenset({"quarantined", "rejected"})


@dataclass(frozen=True, slots=True)
class LockChanges:
    """Writes the rows: hashes and reasons of ours, never a tool's own words."""

    audit: AuditLog

    async def keep(self, author: Author, what: str, connector: Installed, lock: Lock) -> None:
        """Record one change.

        Raises:
            Fault: 503, the row cannot be kept anywhere, so the change must not be made.
        """
        details = {
            "connector": connector.name,
            "tool": lock.tool,
            "change": what,
            "state": lock.state,
            "access": lock.access,
            "accepted_hash": lock.accepted_hash,
            "offered_hash": lock.offered_hash,
            "flags": [f"{flag.path}: {flag.reason}" for flag in lock.flags],
        }
        verdict = Verdict.BLOCKED if what in _REFUSES else Verdict.ALLOWED
        record = ChangeRecord(self.audit, REQUEST_TYPE)
        await record.keep(author, f"tool {what}", details, tenant_id=connector.tenant_id, verdict=verdict)
