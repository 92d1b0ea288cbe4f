"""Overrides whose time has run out: they stop acting by themselves; here their end is recorded and written down.

The row's key and time come from the override alone, so replicas that see the same end write one row between them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid

from axonflow_audit import AuditEntry, AuditLog, AuditRow, AuditUnavailable
from axonflow_contracts.verdicts import Plane, Verdict
from axonflow_database import Database, DatabaseUnavailable

from axonflow_agent.overrides import store
from axonflow_agent.overrides.store import ExpiredOverride
from axonflow_agent.policies.changes import REQUEST_TYPE

logger = logging.getLogger("axonflow.agent.overrides")

SWEEP_S = 5.0
_KEYS = uuid.UUID("6f1d3c5a-8b7e-4a0c-9d52-2f64a1c0e8b3")


class ExpiryWatch:
    """Looks for ended overrides every few seconds, on every replica."""

    def __init__(self, database: Database, audit: AuditLog, *, sweep_s: float = SWEEP_S) -> None:
        self._database = database
        self._audit = audit
        self._sweep_s = sweep_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop looking; what was not written down is found again by the next process."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def sweep(self) -> int:
        """Record and end what has run out; how many there were.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
            AuditUnavailable: no row can be kept, so nothing is ended.
        """
        async with self._database.platform() as connection:
            expired = await store.read_expired(connection)
        for override in expired:
            await self._audit.write(AuditEntry(expiry_row(override)))
            async with self._database.tenant(override.org_id) as connection:
                await store.end_expired(connection, override)
        return len(expired)

    async def _run(self) -> None:
        while True:
            try:
                await self.sweep()
            except (DatabaseUnavailable, AuditUnavailable) as error:
                logger.warning("ended overrides could not be written down: %s", error)
            except Exception:
                logger.exception("ended overrides could not be written down")
            await asyncio.sleep(self._sweep_s)


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
        request_type=REQUEST_TYPE,
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
