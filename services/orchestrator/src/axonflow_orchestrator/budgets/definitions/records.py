"""What the budget family takes, keeps and shows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from axonflow_orchestrator.budgets.records import OnExceed, Period

Scope = Literal["organization", "team", "agent", "workflow", "user"]
SCOPES: tuple[Scope, ...] = ("organization", "team", "agent", "workflow", "user")
DEFAULT_THRESHOLDS = (50, 80, 100)


class NewBudget(msgspec.Struct, frozen=True, kw_only=True):
    """The body of ``POST /api/v1/budgets``; what it lacks is answered with 400 by name, so nothing is required here.

    Attributes:
        tenant_id: only a service that acts for an organisation names a tenant; a client's own always holds.
    """

    id: str = ""
    name: str = ""
    description: str = ""
    scope: str = ""
    scope_id: str | None = None
    limit_usd: Decimal | None = None
    period: str = ""
    on_exceed: str = ""
    alert_thresholds: tuple[int, ...] | None = None
    enabled: bool | None = None
    tenant_id: str | None = None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The body of ``PUT /api/v1/budgets/{id}``: what is left out stays. What a budget counts is fixed."""

    name: str | None = None
    description: str | None = None
    limit_usd: Decimal | None = None
    on_exceed: str | None = None
    alert_thresholds: tuple[int, ...] | None = None
    enabled: bool | None = None
    scope: str | None = None
    scope_id: str | None = None
    period: str | None = None


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A budget that may be kept: every rule is satisfied.

    Attributes:
        tenant_id: empty for one of the whole organisation.
    """

    id: str
    tenant_id: str
    name: str
    scope: str
    scope_id: str
    limit_usd: Decimal
    period: Period
    on_exceed: OnExceed
    alert_thresholds: tuple[int, ...]
    enabled: bool
    created_by: str
    description: str = ""


class Stored(Definition, frozen=True, kw_only=True):
    """A row of ``budgets``."""

    org_id: str
    uid: str
    created_at: datetime
    updated_at: datetime


class Budget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A budget on the wire; amounts are floats there."""

    id: str
    name: str
    description: str
    scope: str
    limit_usd: float
    period: str
    on_exceed: str
    alert_thresholds: tuple[int, ...]
    enabled: bool
    org_id: str
    created_at: datetime
    updated_at: datetime
    scope_id: str = ""
    tenant_id: str = ""


class BudgetList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of budgets and how many there are."""

    budgets: tuple[Budget, ...]
    total: int


class BudgetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a budget stands in its period.

    Attributes:
        held_usd: set aside for calls under way, and not in ``used_usd``.
        is_exceeded: what is spent reached the limit.
        is_blocked: a further call would be refused now.
    """

    budget: Budget
    used_usd: float
    held_usd: float
    remaining_usd: float
    percentage: float
    period_start: datetime
    period_end: datetime
    is_exceeded: bool
    is_blocked: bool


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert on the wire."""

    id: str
    budget_id: str
    alert_type: str
    threshold: int
    percentage_reached: float
    amount_usd: float
    message: str
    acknowledged: bool
    created_at: datetime


class AlertList(msgspec.Struct, frozen=True, kw_only=True):
    """The alerts of one budget, newest first."""

    alerts: tuple[Alert, ...]
    count: int


class StoredAlert(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``budget_alerts``."""

    id: str
    alert_type: str
    threshold: int
    percentage_reached: Decimal
    amount_usd: Decimal
    limit_usd: Decimal
    acknowledged: bool
    created_at: datetime
