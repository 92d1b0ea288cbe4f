"""Charges the estimates of holds that nobody settled: a replica that was killed may have paid the provider."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from axonflow_database import Connection, Database, Periodic

from axonflow_orchestrator.budgets import store
from axonflow_orchestrator.budgets.records import NewAlert

logger = logging.getLogger("axonflow.orchestrator.budgets")

EVERY_S = 10.0

Announce = Callable[[Connection, str, tuple[NewAlert, ...]], Awaitable[None]]


async def sweep(database: Database, announce: Announce) -> int:
    """Charge what expired, one hold a transaction; any replica may, and several may at once.

    Args:
        database: where the holds are.
        announce: tells subscribers of new alerts, in the transaction that made them.

    Returns:
        How many holds were charged.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer.
    """
    charged = 0
    async with database.platform() as connection:
        orgs = await store.orgs_with_expired(connection)
    for org_id in orgs:
        while await _charge_one(database, org_id, announce):
            charged += 1
        async with database.tenant(org_id) as connection:
            await store.forget_orphans(connection, org_id)
    if charged:
        logger.warning("holds that nobody settled were charged as estimated", extra={"holds": charged})
    return charged


async def _charge_one(database: Database, org_id: str, announce: Announce) -> bool:
    async with database.tenant(org_id) as connection:
        alerts = await store.charge_expired(connection, org_id)
        if alerts is None:
            return False
        await announce(connection, org_id, alerts)
    return True


def sweeper(database: Database, announce: Announce, *, every_s: float = EVERY_S) -> Periodic:
    """Sweeps again and again."""
    return Periodic("holds that nobody settled", lambda: sweep(database, announce), every_s=every_s)
