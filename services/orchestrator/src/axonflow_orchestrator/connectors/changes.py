"""Who changed which connector: each change's row in the decision record, written before the change is committed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from axonflow_audit import AuditLog
from axonflow_governance.changes import Author, ChangeRecord

REQUEST_TYPE = "connector_change"


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
        details = {"connector": name, "type": type_, "change": change, "parts": sorted(parts)}
        record = ChangeRecord(self.audit, REQUEST_TYPE)
        await record.keep(author, f"connector {change}", details, tenant_id=tenant_id)
