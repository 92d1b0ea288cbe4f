"""Opens the money room of a process."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from axonflow_database import Database

from axonflow_orchestrator.budgets.events import EventSink, NoEvents
from axonflow_orchestrator.budgets.known import KnownBudgets
from axonflow_orchestrator.budgets.service import BudgetService, utc_now
from axonflow_orchestrator.budgets.sweeping import EVERY_S, sweeper
from axonflow_orchestrator.budgets.unfinished import Unfinished


@contextlib.asynccontextmanager
async def open_budgets(
    database: Database,
    events: EventSink | None = None,
    *,
    clock: Callable[[], datetime] = utc_now,
    sweep_every_s: float = EVERY_S,
) -> AsyncIterator[BudgetService]:
    """The service, following budgets, sweeping what expired and trying again what failed.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer.
    """
    known, unfinished = KnownBudgets(database), Unfinished()
    service = BudgetService(
        database=database, known=known, unfinished=unfinished, events=events or NoEvents(), clock=clock
    )
    sweeping = sweeper(database, service.announce, every_s=sweep_every_s)
    await known.start()
    unfinished.start()
    sweeping.start()
    try:
        yield service
    finally:
        await sweeping.close()
        await unfinished.close()
        await known.close()
