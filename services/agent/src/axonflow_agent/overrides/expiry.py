"""Overrides whose time has run out: they stop acting by themselves; here their end is recorded and written down.

The row's key and time come from the override alone, so replicas that see the same end write one row between them.
"""

from __future__ import annotations

import uuid

from axonflow_audit import AuditEntry, AuditLog, AuditRow
from axonflow_contracts.verdicts import Plane, Verdict
from axonflow_database import Database, Periodic
from axonflow_governance.changes import POLICY_CHANGE

from axonflow_agent.overrides import store
from axonflow_agent.overrides.store import ExpiredOverride

SWEEP_S = 5.0
_KEYS = uuid.UUID("6f1d3c5a-8b7e-4a0c-9d52-2f64a1c0e8b3")


def expiry_watch(database: Database, audit: AuditLog, *, every_s: float = SWEEP_S) -> Periodic:
    """Looks for ended overrides every few seconds, on every replica."""
    return Periodic("overrides that ran out", lambda: end_expired(database, audit), every_s=every_s)


async def end_expired(database: Database, audit: AuditLog) -> None:
    """Record and end what has run out; what cannot be, by any process, is found again.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer.
        AuditUnavailable: no row can be kept, so nothing is ended.
    """
    async with database.platform() as connection:
        expired = await store.read_expired(connection)
    for override in expired:
        await audit.write(AuditEntry(expiry_row(override)))
        async with database.tenant(override.org_id) as connection:
            await store.end_expired(connection, override)


def expiry_row(override: ExpiredOverride) -> AuditRow:
    """The row of an override's end, dated when its time ran out."""
    key = str(uuid.uuid5(_KEYS, str(override.id)))
    return AuditRow(
        org_id=override.org_id,
        created_at=override.expires_at,
        id=key,
        decision_id=key,
        tenant_id=override.tenant_id or "",
        plane=Plane.AGENT.value,
        request_type=POLICY_CHANGE,
        verdict=Verdict.ALLOWED.value,
        reason="policy override expired",
        metadata={
            "change_type": "override_expired",
            "policy_id": override.policy_id,
            "override_id": str(override.id),
            "scope": "organization" if override.tenant_id is None else "tenant",
            "override_reason": override.override_reason,
            "created_by": override.created_by,
            "expires_at": override.expires_at.isoformat(),
        },
    )
