"""Budgets for tests, and what the database says of them afterwards."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from axonflow_database import Database
from axonflow_orchestrator.budgets import Spender, UsageFacts
from axonflow_orchestrator.budgets.definitions import store
from axonflow_orchestrator.budgets.definitions.records import Definition
from axonflow_orchestrator.budgets.records import OnExceed, Period

ORG = "acme"
TENANT = "tellers"
ANN = Spender(org_id=ORG, tenant_id=TENANT, client_id="desk", user_id="ann", team_id="front", agent_id="clerk")


async def budget(
    database: Database,
    id: str,  # noqa: A002 - reads as the table does
    limit_usd: str,
    *,
    org_id: str = ORG,
    tenant_id: str = TENANT,
    scope: str = "organization",
    scope_id: str = "",
    period: Period = Period.MONTHLY,
    on_exceed: OnExceed = OnExceed.BLOCK,
    thresholds: tuple[int, ...] = (50, 80, 100),
    enabled: bool = True,
) -> str:
    """Make a budget as the API does, and give its uid."""
    made = Definition(
        id=id,
        tenant_id=tenant_id,
        name=f"{id} budget",
        scope=scope,
        scope_id=scope_id,
        limit_usd=Decimal(limit_usd),
        period=period,
        on_exceed=on_exceed,
        alert_thresholds=thresholds,
        enabled=enabled,
        created_by="tests",
    )
    async with database.tenant(org_id) as connection:
        return (await store.insert(connection, org_id, made)).uid


def facts(cost_usd: str, **changed: Any) -> UsageFacts:
    """What a call took."""
    values: dict[str, Any] = {
        "request_id": f"req-{uuid.uuid4()}",
        "created_at": datetime.now(UTC),
        "provider": "openai",
        "model": "gpt-4o",
        "request_type": "chat",
        "tokens_in": 100,
        "tokens_out": 20,
        "cached_tokens": 10,
        "reasoning_tokens": 5,
        "cost_usd": Decimal(cost_usd),
        "estimated": False,
        "latency_ms": 12.5,
        "success": True,
        **changed,
    }
    return UsageFacts(**values)


async def rows(database: Database, statement: str, *values: object, org_id: str = ORG) -> list[tuple[Any, ...]]:
    """What an organisation's rows say."""
    async with database.tenant(org_id) as connection:
        return await (await connection.execute(statement, values)).fetchall()


async def counters(database: Database, org_id: str = ORG) -> dict[str, tuple[Decimal, Decimal]]:
    """Spent and held by budget id; periods added up."""
    found = await rows(
        database,
        "SELECT b.id, sum(c.spent_usd), sum(c.held_usd) FROM budget_counters c "
        "JOIN budgets b ON b.org_id = c.org_id AND b.uid = c.budget_uid GROUP BY b.id",
        org_id=org_id,
    )
    return {id_: (spent, held) for id_, spent, held in found}
