"""Who changed which connector: each change's row in the decision record, written before the change is committed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from axonflow_audit import AuditEntry, AuditLog, AuditRow, AuditUnavailable
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Plane, Verdict

REQUEST_TYPE = "connector_change"


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change, in which request."""

    caller: Caller
    trace_id: str

    @property
    def name(self) -> str:
        """The person if one is known, else the client."""
        user = self.caller.user
        return user.email or user.id or self.caller.client_id


@dataclass(frozen=True, slots=True)
class ConnectorChanges:
    """Writes the rows: names of what changed, never a value of an option or a credential."""

    audit: AuditLog

    async def keep(
        self, author: Author, change: str, *, tenant_id: str, name: str, type_: str, parts: Iterable[str]
    ) -> None:
        """Record one change.

        Args:
            author: who made it.
            change: installed, configured or uninstalled.
            tenant_id: whose connector it is.
            name: the connector's.
            type_: the connector's.
            parts: options and credentials that were given.

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
            tenant_id=tenant_id,
            client_id=caller.client_id,
            user_id=caller.user.id or None,
            user_email=caller.user.email or None,
            user_role=caller.user.role or None,
            plane=Plane.AGENT.value,
            request_type=REQUEST_TYPE,
            verdict=Verdict.ALLOWED.value,
            reason=f"connector {change}",
            metadata={"connector": name, "type": type_, "change": change, "parts": sorted(parts)},
        )
        try:
            await self.audit.write(AuditEntry(row))
        except AuditUnavailable as error:
            raise Fault(503, "The change was not made: it cannot be recorded") from error
