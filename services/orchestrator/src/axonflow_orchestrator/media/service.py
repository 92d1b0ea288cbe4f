"""Looking at and changing a tenant's media governance. No HTTP, no SQL."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from axonflow_audit import AuditLog
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Verdict
from axonflow_database import Connection, Database, DatabaseUnavailable
from axonflow_governance.changes import Author, ChangeRecord
from axonflow_settings import Edition

from axonflow_orchestrator.media import store
from axonflow_orchestrator.media.analyzers import ANALYZERS
from axonflow_orchestrator.media.records import ConfigChange, MediaConfig, MediaStatus
from axonflow_orchestrator.media.switch import MediaSwitch

REQUEST_TYPE = "media_governance_change"
# As for tools: a client's own credentials stand for whoever set the client up.
_DECIDERS = frozenset({"", "admin", "service", "policy_admin"})


@dataclass(frozen=True, slots=True)
class MediaGovernance:
    """Choices of one deployment's tenants."""

    database: Database
    audit: AuditLog
    switch: MediaSwitch

    @property
    def status(self) -> MediaStatus:
        """What this deployment can do."""
        return self.switch.status

    async def config(self, caller: Caller) -> MediaConfig:
        """What holds for the caller's tenant.

        Raises:
            Fault: 400 for a caller without a tenant, 503.
        """
        tenant_id, status = _tenant_of(caller), self.switch.status
        if status.per_tenant_control:
            async with self._transaction(caller.org_id) as connection:
                kept = await store.read_config(connection, caller.org_id, tenant_id)
            if kept is not None:
                return kept
        return MediaConfig(tenant_id=tenant_id, enabled=status.enabled_by_default)

    async def change(self, change: ConfigChange, author: Author) -> MediaConfig:
        """Change it; what follows it on other replicas holds there within a second.

        Raises:
            Fault: 400, 403 outside enterprise, for the wrong person, or where the operator switched it off, 503.
        """
        caller, tenant_id = author.caller, _tenant_of(author.caller)
        self._check(change, caller)
        status = self.switch.status
        async with self._transaction(caller.org_id) as connection:
            kept = await store.change_config(
                connection,
                caller.org_id,
                tenant_id,
                change,
                by_default=status.enabled_by_default,
                author=author.name,
            )
            details = {"enabled": kept.enabled, "allowed_analyzers": list(kept.allowed_analyzers)}
            record = ChangeRecord(self.audit, REQUEST_TYPE)
            verdict = Verdict.ALLOWED if kept.enabled else Verdict.BLOCKED
            await record.keep(author, "media governance changed", details, verdict=verdict)
        return kept

    def _check(self, change: ConfigChange, caller: Caller) -> None:
        if self.switch.edition is not Edition.ENTERPRISE:
            raise Fault(403, "Media governance per tenant is part of the enterprise edition", code="TIER_RESTRICTED")
        if not self.switch.status.available:
            message = "Media governance is switched off for this deployment (MEDIA_GOVERNANCE_ENABLED)"
            raise Fault(403, message, code="MEDIA_NOT_ENABLED")
        if caller.user.role not in _DECIDERS:
            raise Fault(403, "Only an administrator changes media governance")
        named = change.allowed_analyzers or ()
        if unknown := [name for name in named if name not in ANALYZERS]:
            raise Fault(400, f"allowed_analyzers[{named.index(unknown[0])}] must be one of {', '.join(ANALYZERS)}")
        if len(set(named)) < len(named):
            raise Fault(400, "allowed_analyzers must name each analyser once")

    @contextlib.asynccontextmanager
    async def _transaction(self, org_id: str) -> AsyncIterator[Connection]:
        try:
            async with self.database.tenant(org_id) as connection:
                yield connection
        except DatabaseUnavailable as error:
            message = "Media governance cannot be read or changed: PostgreSQL does not answer"
            raise Fault(503, message, headers={"Retry-After": "1"}) from error


def _tenant_of(caller: Caller) -> str:
    if not caller.tenant_id:
        raise Fault(400, "The caller names no tenant, and media is governed tenant by tenant")
    return caller.tenant_id
