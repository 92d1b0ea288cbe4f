"""``kill -9`` of spending replicas at random moments: no budget is overspent, nothing paid is forgotten, no hold stays.

``AXONFLOW_CHAOS_ROUNDS`` raises the number of kills (5), ``AXONFLOW_CHAOS_CLIENTS`` the callers of each replica (8).
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from axonflow_database import Database
from axonflow_orchestrator.budgets.opening import open_budgets
from axonflow_orchestrator.budgets.sweeping import sweep
from support.budget_spender import LIFETIME_S
from support.money import budget, counters, rows
from support.postgres import service_settings

ROUNDS = int(os.environ.get("AXONFLOW_CHAOS_ROUNDS", "5"))
CLIENTS = int(os.environ.get("AXONFLOW_CHAOS_CLIENTS", "8"))
REPLICAS, LIMIT = 4, 20 * CLIENTS
TESTS = Path(__file__).parents[2]


class Replica:
    """A spending process, and the holds whose settlement it acknowledged."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.budget_spender", url, str(CLIENTS)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
        )

    def kill(self) -> None:
        self._process.kill()

    def told(self) -> list[str]:
        """What it acknowledged; a last line that was torn by the kill is none."""
        out, _ = self._process.communicate(timeout=60)
        return [line for line in out.decode().split("\n")[:-1] if line]


async def test_no_kill_overspends_a_budget_forgets_a_payment_or_leaves_a_hold(database_url: str) -> None:
    database = await Database.open(service_settings(database_url))
    await budget(database, "all", str(2 * LIMIT))
    await budget(database, "front", str(LIMIT), scope="team", scope_id="front")
    replicas = [Replica(database_url) for _ in range(REPLICAS)]
    told: list[str] = []
    async with asyncio.timeout(60):
        while not await counters(database):
            await asyncio.sleep(0.05)
    for _ in range(ROUNDS):
        await asyncio.sleep(random.uniform(0.1, 0.5))
        victim = replicas.pop(random.randrange(REPLICAS))
        victim.kill()
        told += await asyncio.to_thread(victim.told)
        replicas.append(Replica(database_url))
    for replica in replicas:
        told += await asyncio.to_thread(replica.told)  # they end by themselves, when nothing is left to spend
    await asyncio.sleep(LIFETIME_S)
    async with open_budgets(database, sweep_every_s=3600) as service:
        await sweep(database, service.announce)
    kept = dict(await rows(database, "SELECT id::text, cost_usd FROM usage_records"))
    left = await rows(database, "SELECT id FROM budget_holds")
    found = await counters(database)
    await database.close()
    assert left == []
    assert set(told) <= kept.keys()
    assert len(told) > REPLICAS * CLIENTS
    spent = sum(kept.values(), Decimal(0))
    assert found == {"all": (spent, Decimal(0)), "front": (spent, Decimal(0))}
    assert LIMIT - 1 < spent <= LIMIT
