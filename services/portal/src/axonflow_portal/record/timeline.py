"""The rows of one trace in order of time, each as a sentence. Pure: no I/O, no HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from axonflow_portal.record import words
from axonflow_portal.record.wire import Correlation, Entry, TracedRow

_CALLS = {"deny": "Model not called", "error": "Model call failed"}


@dataclass(frozen=True, slots=True)
class Moment:
    """One row.

    Attributes:
        after: time since the first row of the trace, such as ``+340 ms``.
        title: what happened.
        detail: figures and names, which come from callers and are shown escaped.
        entry: the decision, where the row is one.
        cost_usd: of a model call; 0 for other rows.
    """

    at: datetime
    after: str
    title: str
    detail: tuple[str, ...]
    entry: Entry | None
    cost_usd: float


def moments_of(trace: Correlation) -> list[Moment]:
    """Every row of ``trace``; a table that this page does not know is named by its own name."""
    first = min((row.timestamp for row in trace.rows), default=None)
    found = [_moment(row, first or row.timestamp) for row in trace.rows]
    return [replace(each, after=each.after or ("same time" if place else "start")) for place, each in enumerate(found)]


def _moment(row: TracedRow, first: datetime) -> Moment:
    passed = row.timestamp - first
    after = f"+{words.milliseconds(passed.total_seconds() * 1000)}" if passed else ""
    if row.source == "audit_logs":
        return _decision(row, after)
    if row.source == "llm_call_audits":
        told = row.row
        detail = (_model(told), _tokens(told), _latency(told), words.dollars(cost_of(told)) if cost_of(told) else "")
        return _of(row, after, _CALLS.get(str(told.get("decision")), "Model call"), detail, cost_of(told))
    if row.source == "gateway_contexts":
        approved = "Context approved" if row.row.get("approved") else "Context denied"
        return _of(row, after, approved, (f"client {row.row.get('client_id') or 'unknown'}",), 0.0)
    return _of(row, after, row.source, (), 0.0)


def _decision(row: TracedRow, after: str) -> Moment:
    try:
        entry = msgspec.convert(row.row, Entry)
    except msgspec.ValidationError:
        return _of(row, after, row.source, (), 0.0)
    side = f" {entry.phase}" if entry.phase else ""
    detail = (
        f"{words.plane_name(entry.plane)}{side}",
        entry.error_message or entry.reason,
        words.milliseconds(entry.latency_ms) if entry.latency_ms else "",
    )
    shown = tuple(each for each in detail if each)
    return Moment(row.timestamp, after, words.verdict_name(entry.verdict), shown, entry, 0.0)


def _of(row: TracedRow, after: str, title: str, detail: tuple[str, ...], cost_usd: float) -> Moment:
    return Moment(row.timestamp, after, title, tuple(each for each in detail if each), None, cost_usd)


def cost_of(row: Mapping[str, Any]) -> float:
    """The estimated price of a model call in USD; decimals travel as text."""
    try:
        return max(0.0, float(row.get("estimated_cost_usd") or 0))
    except (TypeError, ValueError):
        return 0.0


def _model(row: Mapping[str, Any]) -> str:
    return " ".join(str(row[name]) for name in ("provider", "model") if row.get(name))


def _tokens(row: Mapping[str, Any]) -> str:
    asked, answered = row.get("prompt_tokens"), row.get("completion_tokens")
    if not isinstance(asked, int) or not isinstance(answered, int) or not asked + answered:
        return ""
    return f"{asked:,} tokens in, {answered:,} out"


def _latency(row: Mapping[str, Any]) -> str:
    value = row.get("latency_ms")
    return words.milliseconds(value) if isinstance(value, int | float) and value else ""
