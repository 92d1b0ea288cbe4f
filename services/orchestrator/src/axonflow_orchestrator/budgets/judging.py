"""What positions of budgets mean for a call. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from axonflow_orchestrator.budgets.periods import period_end
from axonflow_orchestrator.budgets.records import (
    BudgetCheck,
    Held,
    Hold,
    NewAlert,
    OnExceed,
    Outcome,
    Position,
)

_SEVERITY = {OnExceed.BLOCK: 2, OnExceed.DOWNGRADE: 1, OnExceed.WARN: 0}


def allowance(outcome: Outcome, hold: Hold) -> Held:
    """Whether the call may be made, and what it is told."""
    worst = strictest(outcome.positions)
    if worst is None:
        return Held(allowed=True)
    over = [position for position in outcome.positions if position.is_over]
    return Held(
        allowed=not outcome.refused,
        hold=None if outcome.refused else hold,
        info=worst.info(),
        downgrade=any(position.on_exceed is OnExceed.DOWNGRADE for position in over),
        message=_passed(worst, hold.estimate_usd) if over else "",
    )


def checked(positions: tuple[Position, ...]) -> BudgetCheck:
    """How a spender stands."""
    worst = strictest(positions)
    blocked = any(position.is_over and position.on_exceed is OnExceed.BLOCK for position in positions)
    message = _used_up(worst) if worst is not None and worst.is_over else ""
    return BudgetCheck(
        allowed=not blocked, info=None if worst is None else worst.info(), message=message, positions=positions
    )


def strictest(positions: Iterable[Position]) -> Position | None:
    """The budget that decides: one that is passed before one that is not, blocking first, then the fullest."""
    return max(positions, key=_strictness, default=None)


def event_data(alert: NewAlert) -> dict[str, Any]:
    """What subscribers read of an alert."""
    return {
        "alert_id": alert.alert_id,
        "alert_type": alert.alert_type,
        "budget_id": alert.budget_id,
        "budget_name": alert.budget_name,
        "threshold": alert.threshold,
        "percentage": float(alert.percentage),
        "used_usd": float(alert.spent_usd),
        "limit_usd": float(alert.limit_usd),
        "action": alert.on_exceed.value,
        "period_start": alert.period_start,
        "period_end": period_end(alert.period, alert.period_start),
    }


def _strictness(position: Position) -> tuple[bool, int, float, str]:
    return position.is_over, _SEVERITY[position.on_exceed] if position.is_over else 0, position.percentage, position.id


def _passed(position: Position, estimate: Decimal) -> str:
    return (
        f"Budget {position.name!r} would be exceeded: {_shown(position.spent_usd)} of {_shown(position.limit_usd)} USD "
        f"spent, {_shown(position.held_usd)} held for calls under way, and this call may cost {_shown(estimate)}"
    )


def _used_up(position: Position) -> str:
    return (
        f"Budget {position.name!r} is used up: {_shown(position.spent_usd)} of {_shown(position.limit_usd)} USD spent, "
        f"{_shown(position.held_usd)} held for calls under way"
    )


def _shown(amount: Decimal) -> str:
    text = f"{amount:.8f}".rstrip("0")
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction:0<2}"
