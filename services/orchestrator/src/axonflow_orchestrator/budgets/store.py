"""Holds, settlements and positions in the database; what must be exact is a function of migration 111."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec
from axonflow_database import Connection

from axonflow_orchestrator.budgets.records import Entry, Hold, NewAlert, Outcome, Position, Spender

HOLD = """
    SELECT axonflow_hold_budgets(%(org_id)s, %(id)s::uuid, %(moment)s, %(lifetime_s)s, %(estimate)s::numeric,
        %(record)s::jsonb)
"""
SETTLE = "SELECT axonflow_settle_usage(%s, %s::uuid, %s::jsonb)"
RELEASE = "SELECT axonflow_release_hold(%s, %s::uuid, %s)"
CHARGE_EXPIRED = "SELECT axonflow_charge_expired(%s)"
ORGS_WITH_EXPIRED = "SELECT DISTINCT org_id FROM budget_holds WHERE expires_at < now()"
FORGET_ORPHANS = """
    DELETE FROM budget_counters c WHERE c.org_id = %s
        AND NOT EXISTS (SELECT FROM budgets b WHERE b.org_id = c.org_id AND b.uid = c.budget_uid)
"""
# Nothing is estimated, so a budget is over when nothing is left of it.
SELECT_POSITIONS = """
    SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.id, p.uid), '[]')::text FROM (
        SELECT b.uid, b.id, b.name, b.tenant_id, b.on_exceed, b.period, s.period_start, b.limit_usd::text,
            coalesce(c.spent_usd, 0)::text AS spent_usd, coalesce(c.held_usd, 0)::text AS held_usd,
            coalesce(c.spent_usd + c.held_usd, 0) >= b.limit_usd AS is_over
        FROM axonflow_budgets_of(%(org_id)s, %(spender)s::jsonb) b
        CROSS JOIN LATERAL (SELECT axonflow_period_start(b.period, %(moment)s) AS period_start) s
        LEFT JOIN budget_counters c
            ON c.org_id = b.org_id AND c.budget_uid = b.uid AND c.period_start = s.period_start
        WHERE b.enabled
    ) p
"""
SELECT_KNOWN = """
    SELECT org_id, tenant_id, scope, scope_id, bool_or(on_exceed = 'block') FROM budgets WHERE enabled
    GROUP BY org_id, tenant_id, scope, scope_id
"""

# Organisation, tenant, scope and id of what the scope names.
Place = tuple[str, str, str, str]


async def hold(connection: Connection, held: Hold, entry: Entry, lifetime_s: float) -> Outcome:
    """Hold an estimate of each budget that applies, or of none."""
    values = {
        "org_id": held.org_id,
        "id": held.id,
        "moment": held.created_at,
        "lifetime_s": lifetime_s,
        "estimate": held.estimate_usd,
        "record": _json(entry),
    }
    row = await (await connection.execute(HOLD, values)).fetchone()
    return msgspec.json.decode(row[0] if row else b"", type=Outcome)


async def settle(connection: Connection, org_id: str, hold_id: str | None, entry: Entry) -> tuple[NewAlert, ...]:
    """Charge what a call cost, once, and end its hold; the alerts that this brought."""
    row = await (await connection.execute(SETTLE, (org_id, hold_id, _json(entry)))).fetchone()
    return _alerts(row[0] if row else None)


async def release(connection: Connection, held: Hold) -> None:
    """Give a hold back."""
    await connection.execute(RELEASE, (held.org_id, held.id, held.created_at))


async def orgs_with_expired(connection: Connection) -> list[str]:
    """Organisations with holds that outlived their time; read across all of them."""
    return [row[0] for row in await (await connection.execute(ORGS_WITH_EXPIRED)).fetchall()]


async def charge_expired(connection: Connection, org_id: str) -> tuple[NewAlert, ...] | None:
    """Charge the estimate of one such hold; None when there is none that nobody else is at."""
    row = await (await connection.execute(CHARGE_EXPIRED, (org_id,))).fetchone()
    return None if row is None or row[0] is None else _alerts(row[0])


async def forget_orphans(connection: Connection, org_id: str) -> None:
    """Remove counters whose budget went while a call was held."""
    await connection.execute(FORGET_ORPHANS, (org_id,))


async def positions(connection: Connection, spender: Spender, moment: datetime) -> tuple[Position, ...]:
    """How the enabled budgets that apply to a spender stand."""
    values = {"org_id": spender.org_id, "spender": _json(spender), "moment": moment}
    row = await (await connection.execute(SELECT_POSITIONS, values)).fetchone()
    return msgspec.json.decode(row[0] if row else b"[]", type=tuple[Position, ...])


async def known(connection: Connection) -> Mapping[Place, bool]:
    """Where there are enabled budgets, and whether one of them blocks; read across all organisations."""
    rows = await (await connection.execute(SELECT_KNOWN)).fetchall()
    return {(row[0], row[1], row[2], row[3]): bool(row[4]) for row in rows}


def _alerts(text: str | None) -> tuple[NewAlert, ...]:
    return msgspec.json.decode(text or "[]", type=tuple[NewAlert, ...])


def _json(value: Entry | Spender) -> str:
    return msgspec.json.encode(value).decode()


def fits(amount: Decimal) -> bool:
    """Whether the money columns can hold it."""
    return amount.is_finite() and abs(amount) < Decimal(10) ** 11
