"""Limits on spending: definitions, exact holds around calls of providers, alerts."""

from axonflow_orchestrator.budgets.events import EventSink, NoEvents
from axonflow_orchestrator.budgets.records import BudgetCheck, BudgetInfo, Held, Hold, Spender, UsageFacts
from axonflow_orchestrator.budgets.service import BudgetService

__all__ = [
    "BudgetCheck",
    "BudgetInfo",
    "BudgetService",
    "EventSink",
    "Held",
    "Hold",
    "NoEvents",
    "Spender",
    "UsageFacts",
]
