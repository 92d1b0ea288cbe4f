"""Exact spending: hold an estimate before an attempt at a provider, settle what it cost, release what was not sent."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal

from axonflow_contracts.errors import Fault
from axonflow_database import Connection, Database, DatabaseUnavailable

from axonflow_orchestrator.budgets import store
from axonflow_orchestrator.budgets.entries import attempted, settled
from axonflow_orchestrator.budgets.events import EventSink
from axonflow_orchestrator.budgets.judging import allowance, checked, event_data
from axonflow_orchestrator.budgets.known import KnownBudgets
from axonflow_orchestrator.budgets.records import (
    BudgetCheck,
    Entry,
    Held,
    Hold,
    NewAlert,
    Outcome,
    Spender,
    UsageFacts,
)
from axonflow_orchestrator.budgets.unfinished import Unfinished

logger = logging.getLogger("axonflow.orchestrator.budgets")

WAIT_S = 3.0  # for PostgreSQL, by a call that waits for it
TRY_FOR_S = 600.0
UNAVAILABLE = "The budget cannot be checked: PostgreSQL does not answer in time"
_EIGHT_PLACES = Decimal("0.00000001")


def utc_now() -> datetime:
    """The wall clock; replicas must agree on it to within a few seconds."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetService:
    """What is called around each attempt at a provider.

    Attributes:
        database: the one place where replicas agree.
        known: where there are budgets at all.
        unfinished: what PostgreSQL could not be told yet.
        events: who hears of alerts.
        clock: UTC; decides the period of a call.
    """

    database: Database
    known: KnownBudgets
    unfinished: Unfinished
    events: EventSink
    clock: Callable[[], datetime] = utc_now

    def has_budgets(self, org_id: str) -> bool:
        """Whether an organisation has an enabled budget; without one `hold` asks nobody."""
        return self.known.in_org(org_id)

    async def hold(
        self,
        spender: Spender,
        estimate_usd: Decimal,
        *,
        request_id: str,
        attempt: int,
        lifetime_s: float,
        provider: str = "",
        model: str = "",
    ) -> Held:
        """Set the estimate aside in every budget that applies, or in none.

        Args:
            spender: who makes the call.
            estimate_usd: the most that it can cost; what it costs beyond is counted all the same.
            request_id: of the request that the attempt belongs to.
            attempt: from 1.
            lifetime_s: longer than the call can take; after it any replica may charge the estimate.
            provider: where the call goes, for the record of one that nobody settles.
            model: likewise.

        Raises:
            Fault: 503, PostgreSQL does not answer and a budget that blocks applies.
        """
        if not self.known.applies(spender):
            return Held(allowed=True)
        now = self.clock()
        hold = Hold(
            id=str(uuid.uuid4()),
            org_id=spender.org_id,
            estimate_usd=max(estimate_usd, Decimal(0)).quantize(_EIGHT_PLACES, ROUND_UP),
            created_at=now,
            expires_at=now + timedelta(seconds=lifetime_s),
            request_id=request_id,
            attempt=attempt,
        )
        outcome = await self._attempted(hold, attempted(spender, hold, provider, model), lifetime_s)
        if outcome is not None:
            return allowance(outcome, hold)
        if self.known.blocks(spender):
            raise Fault(503, UNAVAILABLE, headers={"Retry-After": "1"})
        return Held(allowed=True)

    async def settle(self, spender: Spender, hold: Hold | None, facts: UsageFacts) -> bool:
        """Charge what a call cost: counters, the end of its hold, its record and alerts in one transaction.

        Charged once, however often it is told. A hold that was charged meanwhile, because its time was over, is
        corrected to the true cost.

        Returns:
            False while PostgreSQL is away: it is tried further beside the requests, and the caller keeps the usage with
            the decision's row.
        """
        entry = settled(spender, hold, facts)
        # A task of its own: a client that goes away does not undo what its call cost.
        task = self.unfinished.spawn(self._settled_or_later(spender.org_id, hold, entry))
        done, _ = await asyncio.wait({task}, timeout=WAIT_S)
        return bool(task.result()) if done else False

    async def release(self, hold: Hold | None) -> None:
        """Give back what was held for a call that was not sent; while PostgreSQL is away, later."""
        if hold is None:
            return
        task = self.unfinished.spawn(self._released_or_later(hold))
        await asyncio.wait({task}, timeout=WAIT_S)

    async def check(self, spender: Spender) -> BudgetCheck:
        """How a spender stands; holds nothing.

        Raises:
            Fault: 503, PostgreSQL does not answer.
        """
        try:
            async with asyncio.timeout(WAIT_S), self.database.tenant(spender.org_id) as connection:
                return checked(await store.positions(connection, spender, self.clock()))
        except (DatabaseUnavailable, TimeoutError) as error:
            raise Fault(503, UNAVAILABLE, headers={"Retry-After": "1"}) from error

    async def announce(self, connection: Connection, org_id: str, alerts: tuple[NewAlert, ...]) -> None:
        """Tell subscribers of alerts, in the transaction that made them."""
        for alert in alerts:
            await self.events.emit(connection, org_id, alert.tenant_id, alert.event, event_data(alert))

    async def _attempted(self, hold: Hold, entry: Entry, lifetime_s: float) -> Outcome | None:
        """What came of it; None when PostgreSQL does not answer, and then what may yet be held is given back."""
        task = self.unfinished.spawn(self._held(hold, entry, lifetime_s))
        try:
            done, _ = await asyncio.wait({task}, timeout=WAIT_S)
        except asyncio.CancelledError:
            self.unfinished.spawn(self._undone(task, hold))
            raise
        outcome = None
        if done:
            try:
                outcome = task.result()
            except DatabaseUnavailable as error:
                logger.warning("budgets cannot be held (%s)", error)
        if not isinstance(outcome, Outcome):
            self.unfinished.spawn(self._undone(task, hold))
            return None
        return outcome

    async def _held(self, hold: Hold, entry: Entry, lifetime_s: float) -> Outcome:
        async with self.database.tenant(hold.org_id) as connection:
            outcome = await store.hold(connection, hold, entry, lifetime_s)
            await self.announce(connection, hold.org_id, outcome.alerts)
        return outcome

    async def _undone(self, task: asyncio.Task[object], hold: Hold) -> None:
        # First the end of the attempt: a release that came before it would find nothing to give back.
        await asyncio.wait({task})
        task.exception()
        await self._released_or_later(hold)

    async def _settled_or_later(self, org_id: str, hold: Hold | None, entry: Entry) -> bool:
        async def work() -> None:
            async with self.database.tenant(org_id) as connection:
                alerts = await store.settle(connection, org_id, hold.id if hold else None, entry)
                await self.announce(connection, org_id, alerts)

        try:
            await work()
        except DatabaseUnavailable as error:
            logger.warning("a call is settled later (%s)", error)
            self.unfinished.add(entry.id, work, for_s=TRY_FOR_S)
            return False
        return True

    async def _released_or_later(self, hold: Hold) -> None:
        async def work() -> None:
            async with self.database.tenant(hold.org_id) as connection:
                await store.release(connection, hold)

        try:
            await work()
        except DatabaseUnavailable:
            self.unfinished.add(hold.id, work, for_s=TRY_FOR_S)
