"""Recorded calls for an impact report: their whole inputs where they were sealed, else what their rows tell."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from axonflow_audit import AuditRow, pages
from axonflow_audit.filters import Position, RecordFilter
from axonflow_contracts.errors import Fault
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase
from axonflow_database import Database
from axonflow_governance.inputs import InputSealer, JudgedInput
from axonflow_policy import Facts, Policy, TenantRule, UserFacts
from axonflow_policy.impact import Impact, impact

from axonflow_orchestrator.audit.queries import later
from axonflow_orchestrator.callers import Readable, reading
from axonflow_orchestrator.drafts.judging import open_input
from axonflow_orchestrator.questions import before, text, whole_number
from axonflow_orchestrator.replay.store import read_inputs

DEFAULT_DAYS, MOST_DAYS = 7, 90
MOST_CALLS = 1000
LONGEST_S = 10.0
COUNT_BUDGET_MS = 3_000
ROWS_AT_ONCE = 40
AT_ONCE = 2


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Which recorded calls: the newest of so many days, within what the edition keeps."""

    days: int | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedCalls:
    """Holds policies against the record, few at a time.

    Attributes:
        environment: the deployment's, as rules read it.
        approvals_act: whether asking for approval stops a call in this edition.
    """

    database: Database
    sealer: InputSealer
    environment: str
    approvals_act: bool
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def impact(self, policy: Policy | TenantRule, window: Window, readable: Readable, posture: Posture) -> Impact:
        """One policy against the newest calls of a window, as many as there is time for; ``coverage`` says of how many.

        Raises:
            Fault: 400, 429 while others run, 503.
            InvalidPolicy: as `impact`.
            InvalidRule: as `impact`.
        """
        days = whole_number(window.days, "recorded.days", least=1, most=MOST_DAYS, default=DEFAULT_DAYS)
        until = datetime.now(UTC)
        wanted = RecordFilter(
            org_id=readable.org_id,
            tenant_id=readable.tenant_id,
            since=later(before(until, days), readable.since),
            until=until,
            client_id=text(window.client_id, "recorded.client_id"),
            governed=True,
        )
        if self.places.locked():
            raise Fault(429, "Other reports are being made: try again", headers={"Retry-After": "2"})
        async with self.places:
            async with reading(self.database, wanted.org_id) as connection:
                total = await pages.count_rows(connection, wanted, budget_ms=COUNT_BUDGET_MS)
            facts, known = await self._calls(wanted, policy)
            found = await asyncio.to_thread(
                impact, policy, facts, posture=posture, approvals_act=self.approvals_act, known=known
            )
        whole = "an unknown number" if total is None else max(total, len(facts))
        return msgspec.structs.replace(found, coverage=f"{found.judged} of {whole}")

    async def _calls(self, wanted: RecordFilter, policy: Policy | TenantRule) -> tuple[list[Facts | None], set[int]]:
        facts: list[Facts | None] = []
        known: set[int] = set()
        after: Position | None = None
        deadline = time.monotonic() + LONGEST_S
        while len(facts) < MOST_CALLS and time.monotonic() < deadline:
            async with reading(self.database, wanted.org_id) as connection:
                rows = await pages.read_page(connection, wanted, limit=ROWS_AT_ONCE, after=after)
                inputs = await read_inputs(connection, wanted.org_id, rows)
            for row in rows:
                stored = inputs.get((row.created_at, row.id))
                sealed = None if stored is None else stored.sealed
                judged = None if sealed is None else await asyncio.to_thread(open_input, self.sealer, sealed, row)
                if judged is None and isinstance(policy, Policy) and _was_found(row, policy.id):
                    known.add(len(facts))
                facts.append(_facts(row, judged, self.environment))
            if len(rows) < ROWS_AT_ONCE:
                break
            after = Position(rows[-1].created_at, rows[-1].id)
        return facts, known


def _was_found(row: AuditRow, policy_id: str) -> bool:
    return row.phase != Phase.RESPONSE.value and any(match.policy_id == policy_id for match in row.matched_policies)


def _facts(row: AuditRow, judged: JudgedInput | None, environment: str) -> Facts | None:
    if judged is not None and judged.phase is Phase.REQUEST:
        query = "\n".join(part.text for part in judged.content.parts)
    elif row.query is None:
        return None
    else:
        query = row.query
    user = UserFacts(
        id=row.user_id or "", email=row.user_email or "", role=row.user_role or "", tenant_id=row.tenant_id
    )
    return Facts(
        query=query,
        user=user,
        request_type=row.request_type or "",
        provider=row.provider or "",
        model=row.model or "",
        environment=environment,
        risk_score=max((match.risk for match in row.matched_policies if match.risk is not None), default=0.0),
        at=row.created_at,
    )
