"""Who changed what governs: each change's row in the decision record, written before the change is committed.

A change whose row cannot be kept is rolled back; a commit that fails after it leaves a row too many, never one too few.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from axonflow_audit import AuditEntry, AuditLog, AuditRow, AuditUnavailable
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Plane, Verdict

POLICY_CHANGE = "policy_change"


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change, in which request.

    Attributes:
        trace_id: of the request, for the row.
    """

    caller: Caller
    trace_id: str

    @property
    def name(self) -> str:
        """What ``created_by`` and its like keep: the person if one is known, else the client."""
        user = self.caller.user
        return user.email or user.id or self.caller.client_id


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """Writes the rows.

    Attributes:
        request_type: what kind of change, as the rows and their searches name it.
    """

    audit: AuditLog
    request_type: str = POLICY_CHANGE

    async def keep(
        self,
        author: Author,
        summary: str,
        details: Mapping[str, object],
        *,
        tenant_id: str | None = None,
        verdict: Verdict = Verdict.ALLOWED,
    ) -> None:
        """Record one change.

        Args:
            author: who made it.
            summary: a short phrase, such as ``static policy updated``.
            details: what changed, for people and for searches.
            tenant_id: whose thing was changed, where that is not the author's tenant.
            verdict: ``blocked`` where the change stops something.

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
            tenant_id=caller.tenant_id if tenant_id is None else tenant_id,
            client_id=caller.client_id,
            user_id=caller.user.id or None,
            user_email=caller.user.email or None,
            user_role=caller.user.role or None,
            plane=Plane.AGENT.value,
            request_type=self.request_type,
            verdict=verdict.value,
            reason=summary,
            metadata=details,
        )
        await self.write(row)

    async def write(self, row: AuditRow) -> None:
        """Record a change whose row is made already.

        Raises:
            Fault: as `keep`.
        """
        try:
            await self.audit.write(AuditEntry(row))
        except AuditUnavailable as error:
            raise Fault(503, "The change was not made: it cannot be recorded") from error
