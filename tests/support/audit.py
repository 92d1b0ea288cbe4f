"""Entries for tests of the audit log, and what became of them."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from axonflow_audit import AuditEntry, AuditRow, LlmCallRow
from axonflow_audit.link import Connection
from axonflow_database import Database, DatabaseUnavailable

ORG = "org-under-test"


class AwayForNow:
    """A database that nobody reaches until ``back``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.back = False

    async def audit_connection(self) -> Connection:
        if not self.back:
            raise DatabaseUnavailable("away")
        return await self._database.audit_connection()


def entry(**fields: Any) -> AuditEntry:
    """A decision on a chat completion with its model call; keywords replace fields of the decision."""
    decision_id = str(uuid.uuid4())
    now = datetime.now(UTC)
    decision = AuditRow(
        **{
            "org_id": ORG,
            "created_at": now,
            "id": decision_id,
            "decision_id": decision_id,
            "tenant_id": "tenant",
            "client_id": "client",
            "plane": "openai_compat",
            "verdict": "allowed",
            **fields,
        }
    )
    call = LlmCallRow(
        org_id=ORG,
        created_at=now,
        id=decision_id,
        decision="allow",
        total_tokens=12,
        estimated_cost_usd=Decimal("0.00012000"),
        metadata={"source": "openai_compat"},
    )
    return AuditEntry(decision, (call,))


def entry_ids(entries: Iterable[AuditEntry]) -> Counter[str]:
    """Each entry's id, once for the decision and once for its call."""
    return Counter(each.decision.decision_id for each in entries for _ in range(2))


async def stored_ids(database: Database) -> Counter[str]:
    """The ids found in both tables, each as often as there are rows of it."""
    async with database.tenant(ORG) as connection:
        cursor = await connection.execute("SELECT decision_id FROM audit_logs UNION ALL SELECT id FROM llm_call_audits")
        return Counter(row[0] for row in await cursor.fetchall())


async def until(condition: Callable[[], bool], limit_s: float = 30.0) -> None:
    """Wait until ``condition()`` holds; the limit only ends a test that would hang."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.02)
