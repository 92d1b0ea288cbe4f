"""A replica that spends until its budget is used up: ``python -m support.budget_spender URL CLIENTS``.

Each line that it prints is the id of a hold whose settlement was acknowledged.
"""

from __future__ import annotations

import asyncio
import random
import sys
from decimal import Decimal

import msgspec
from axonflow_database import Database
from axonflow_orchestrator.budgets import BudgetService
from axonflow_orchestrator.budgets.opening import open_budgets

from support.money import ANN, facts
from support.postgres import service_settings

ESTIMATE, LIFETIME_S = Decimal(1), 1.5


async def spend(service: BudgetService, client: int) -> None:
    """Call after call; what was estimated at one dollar costs less."""
    spender = msgspec.structs.replace(ANN, client_id=f"client-{client}")
    refused = 0
    while refused < 3:
        held = await service.hold(spender, ESTIMATE, request_id="req", attempt=1, lifetime_s=LIFETIME_S)
        if not held.allowed or held.hold is None:
            refused += 1
            await asyncio.sleep(LIFETIME_S)
            continue
        refused = 0
        await asyncio.sleep(random.uniform(0.001, 0.03))
        if random.random() < 0.1:
            await service.release(held.hold)
            continue
        cost = random.choice(("0.25", "0.5", "1"))
        if await service.settle(spender, held.hold, facts(cost)):
            print(held.hold.id, flush=True)


async def main(url: str, clients: int) -> None:
    """Spend with ``clients`` callers at once."""
    database = await Database.open(service_settings(url))
    try:
        async with open_budgets(database, sweep_every_s=0.5) as service:
            await asyncio.gather(*(spend(service, client) for client in range(clients)))
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
