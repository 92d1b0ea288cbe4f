"""Periods of spending, in UTC; the same rule as ``axonflow_period_start`` of migration 111."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from axonflow_orchestrator.budgets.records import Period

_DAY = timedelta(days=1)


def period_start(period: Period, moment: datetime) -> datetime:
    """When the period of a moment began."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case Period.DAILY:
            return day
        case Period.WEEKLY:
            return day - day.weekday() * _DAY
        case Period.MONTHLY:
            return day.replace(day=1)
        case Period.QUARTERLY:
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case Period.YEARLY:
            return day.replace(month=1, day=1)


def period_end(period: Period, moment: datetime) -> datetime:
    """When the next period begins."""
    start = period_start(period, moment)
    # A day inside the next period: lengths vary, so go past the longest and back to where that one begins.
    beyond = {Period.DAILY: 1, Period.WEEKLY: 7, Period.MONTHLY: 32, Period.QUARTERLY: 93, Period.YEARLY: 367}[period]
    return period_start(period, start + beyond * _DAY)
