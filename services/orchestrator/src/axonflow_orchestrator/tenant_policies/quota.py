"""What an edition allows so many times a day, counted once for all replicas."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from axonflow_contracts.errors import Fault
from axonflow_database import Database
from axonflow_policy.simulation import DailyUsage

from axonflow_orchestrator.tenant_policies import store
from axonflow_orchestrator.tenant_policies.refusals import transaction

UNLIMITED = -1


async def take_place(database: Database, org_id: str, name: str, limit: int, tier: str) -> DailyUsage:
    """One more of today's (UTC).

    Args:
        database: where they are counted.
        org_id: whose they are.
        name: what is counted.
        limit: how many a day there may be; -1 is any number.
        tier: the edition, for who is refused.

    Raises:
        Fault: 429 DAILY_LIMIT_EXCEEDED, 503.
    """
    now = datetime.now(UTC)
    async with transaction(database, org_id) as connection:
        most = None if limit == UNLIMITED else limit
        used = await store.take_place(connection, org_id, name, now.date(), most)
    if used is None:
        raise _exceeded(name, limit, tier, now)
    return DailyUsage(used=used, limit=limit)


def _exceeded(name: str, limit: int, tier: str, now: datetime) -> Fault:
    resets = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    return Fault(
        429,
        f"Daily limit of {limit} {name.replace('_', ' ')} reached",
        code="DAILY_LIMIT_EXCEEDED",
        headers={
            "Retry-After": str(max(1, int((resets - now).total_seconds()))),
            "X-Axonflow-Tier-Limit": str(limit),
        },
        details={"tier": tier, "daily_usage": {"used": limit, "limit": limit}, "resets_at": resets.isoformat()},
    )
