"""What callers of the money room hand over and get back; amounts are decimal USD, floats are for the wire alone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

import msgspec


class OnExceed(StrEnum):
    """What a budget does when a call would pass its limit.

    ``downgrade`` asks for the cheapest model that may be used and never blocks: who wants an end as well sets a second
    budget that blocks.
    """

    WARN = "warn"
    BLOCK = "block"
    DOWNGRADE = "downgrade"


class Period(StrEnum):
    """How often spending starts anew: at midnight in UTC, weeks on Monday."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


class Spender(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes a call: what scopes of budgets are compared with."""

    org_id: str
    tenant_id: str
    client_id: str = ""
    user_id: str = ""
    team_id: str = ""
    agent_id: str = ""
    workflow_id: str = ""


class BudgetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How one budget stands, as ``budget_info`` tells it.

    Attributes:
        percentage: of the limit that is spent; holds are not in it.
        exceeded: the limit is reached, or this call would pass it.
    """

    budget_id: str
    budget_name: str
    used_usd: Decimal
    limit_usd: Decimal
    percentage: float
    exceeded: bool
    action: Literal["warn", "block", "downgrade"]

    def on_wire(self) -> dict[str, str | float | bool]:
        """The object that SDKs read; amounts become floats here."""
        return {
            "budget_id": self.budget_id,
            "budget_name": self.budget_name,
            "used_usd": float(self.used_usd),
            "limit_usd": float(self.limit_usd),
            "percentage": self.percentage,
            "exceeded": self.exceeded,
            "action": self.action,
        }


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate that is set aside in every budget that applies.

    Attributes:
        created_at: the moment whose periods the call is charged to, whenever it is settled.
        expires_at: from then on any replica may charge the estimate; about this process's clock.
    """

    id: str
    org_id: str
    estimate_usd: Decimal
    created_at: datetime
    expires_at: datetime
    request_id: str = ""
    attempt: int = 1


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a call may be made.

    Attributes:
        hold: to be settled or released; None where no budget applies, or PostgreSQL is away.
        info: the strictest budget that applies; None where none does.
        downgrade: a budget asks for the cheapest model. Beside ``allowed=False`` it means that what was asked does not
            fit while a cheaper model may: hold again with its estimate.
        message: for people, when the call is refused or a limit is passed.
    """

    allowed: bool
    hold: Hold | None = None
    info: BudgetInfo | None = None
    downgrade: bool = False
    message: str = ""


class UsageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one call at a provider took.

    Attributes:
        created_at: when it was made; with a hold, the hold's own moment is recorded, so that counters and records of a
            period agree.
        cached_tokens: part of ``tokens_in``; ``reasoning_tokens`` is part of ``tokens_out``.
        estimated: the cost rests on an estimate of tokens, or on no known price.
    """

    request_id: str
    created_at: datetime
    provider: str
    model: str
    request_type: str
    tokens_in: int
    tokens_out: int
    cached_tokens: int
    reasoning_tokens: int
    cost_usd: Decimal
    estimated: bool
    latency_ms: float
    success: bool
    error: str = ""


class BudgetCheck(msgspec.Struct, frozen=True, kw_only=True):
    """How a spender stands, without holding anything.

    Attributes:
        allowed: false when a budget that blocks has nothing left.
        info: the strictest budget that applies; None where none does.
        positions: all that apply.
    """

    allowed: bool
    info: BudgetInfo | None = None
    message: str = ""
    positions: tuple[Position, ...] = ()


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """One budget that applies to a call, and how it stands in the period.

    Attributes:
        is_over: with the call's estimate, what is spent and held passes the limit.
    """

    uid: str
    id: str
    name: str
    tenant_id: str
    on_exceed: OnExceed
    period: Period
    period_start: datetime
    limit_usd: Decimal
    spent_usd: Decimal
    held_usd: Decimal
    is_over: bool

    @property
    def percentage(self) -> float:
        """Of the limit that is spent, two decimals."""
        return float(round(self.spent_usd * 100 / self.limit_usd, 2))

    def info(self) -> BudgetInfo:
        """As callers are told."""
        return BudgetInfo(
            budget_id=self.id,
            budget_name=self.name,
            used_usd=self.spent_usd,
            limit_usd=self.limit_usd,
            percentage=self.percentage,
            exceeded=self.is_over or self.spent_usd >= self.limit_usd,
            action=self.on_exceed.value,
        )


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an attempt to hold."""

    refused: bool
    positions: tuple[Position, ...]
    alerts: tuple[NewAlert, ...]


class NewAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that was written just now."""

    alert_id: str
    alert_type: str
    threshold: int
    budget_id: str
    budget_name: str
    tenant_id: str
    on_exceed: OnExceed
    period: Period
    period_start: datetime
    percentage: Decimal
    spent_usd: Decimal
    limit_usd: Decimal

    @property
    def event(self) -> str:
        """The event's name, as subscribers know it."""
        return f"budget.{_EVENTS[self.alert_type]}"


_EVENTS = {"threshold_reached": "threshold_reached", "budget_exceeded": "exceeded", "budget_blocked": "blocked"}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``usage_records``, whole, as the database takes it."""

    id: str
    created_at: datetime
    tenant_id: str
    client_id: str = ""
    user_id: str = ""
    team_id: str = ""
    agent_id: str = ""
    workflow_id: str = ""
    request_id: str = ""
    attempt: int = 1
    provider: str = ""
    model: str = ""
    request_type: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    estimated: bool = False
    outcome: Literal["settled", "unknown"] = "settled"
    latency_ms: float = 0.0
    success: bool = True
    error: str = ""
