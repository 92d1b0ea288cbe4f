"""What happened to which tool's lock, as rows of the decision record, written before the change is committed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from axonflow_audit import AuditEntry, AuditLog, AuditRow, AuditUnavailable
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Plane, Verdict

from axonflow_orchestrator.connectors.changes import Author
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
        caller, key = author.caller, str(uuid.uuid4())
        row = AuditRow(
            org_id=caller.org_id,
            created_at=datetime.now(UTC),
            id=key,
            decision_id=key,
            trace_id=author.trace_id or None,
            tenant_id=connector.tenant_id,
            client_id=caller.client_id,
            user_id=caller.user.id or None,
            user_email=caller.user.email or None,
            user_role=caller.user.role or None,
            plane=Plane.AGENT.value,
            request_type=REQUEST_TYPE,
            verdict=(Verdict.BLOCKED if what in _REFUSES else Verdict.ALLOWED).value,
            reason=f"tool {what}",
            metadata={
                "connector": connector.name,
                "tool": lock.tool,
                "change": what,
                "state": lock.state,
                "access": lock.access,
                "accepted_hash": lock.accepted_hash,
                "offered_hash": lock.offered_hash,
                "flags": [f"{flag.path}: {flag.reason}" for flag in lock.flags],
            },
        )
        try:
            await self.audit.write(AuditEntry(row))
        except AuditUnavailable as error:
            raise Fault(503, "The change was not made: it cannot be recorded") from error
