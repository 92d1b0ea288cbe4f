"""What the orchestrator and the agent answer about the record, as far as pages show it; the rest is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec


class MatchedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that matched, as an entry keeps it."""

    policy_id: str
    name: str = ""
    action: str = ""
    reason: str = ""


class PolicyDetails(msgspec.Struct, frozen=True, kw_only=True):
    """An entry's matches."""

    policies: tuple[MatchedPolicy, ...] = ()


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the record.

    Attributes:
        query: the masked excerpt; "" where none was kept.
        latency_ms: the whole call where it is known, else the judging alone.
        cost: USD.
        folded_count: how many equal refusals the row stands for.
    """

    id: str
    decision_id: str
    timestamp: datetime
    verdict: str
    plane: str
    trace_id: str = ""
    phase: str = ""
    request_type: str = ""
    client_id: str = ""
    tenant_id: str = ""
    user_email: str = ""
    reason: str = ""
    query: str = ""
    provider: str = ""
    model: str = ""
    latency_ms: int = 0
    response_time_ms: int = 0
    tokens_used: int = 0
    cost: float = 0.0
    redaction_count: int = 0
    error_message: str = ""
    folded_count: int = 1
    policy_details: PolicyDetails = PolicyDetails()


class EntryList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of entries, newest first; ``total`` counts everything that matches unless it is ``partial``."""

    entries: tuple[Entry, ...]
    total: int
    has_more: bool = False
    retention_days: int = -1
    next_cursor: str = ""
    partial: bool = False


class PolicyMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A policy of an explanation."""

    policy_id: str
    policy_name: str = ""
    risk_level: str = ""
    policy_description: str = ""
    effective_action: str = ""
    action_origin: str = ""
    tier: str = ""
    category: str = ""
    policy_version: int | None = None
    rule_path: str = ""


class MatchedRule(msgspec.Struct, frozen=True, kw_only=True):
    """Where a policy matched; ``spans`` are half-open character ranges of a text that is not shown."""

    policy_id: str
    matched_on: str = ""
    role: str = ""
    span_count: int = 0
    spans: tuple[tuple[int, int], ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that would have turned the decision: an ``override``, a ``variable`` or the ``policy`` itself."""

    by: str
    name: str
    policy_ids: tuple[str, ...]
    action: str
    needed_action: str
    possible: bool = True
    note: str = ""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """Text without which the decision would have been another."""

    path: str
    role: str
    span_count: int


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest change that would have given another verdict."""

    decision: str
    would_be: str
    changes: tuple[Change, ...] = ()
    without: tuple[Passage, ...] = ()
    note: str = ""


class PhaseOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One judged side of the call."""

    phase: str
    decision: str
    timestamp: datetime


class NotReplayable(msgspec.Struct, frozen=True, kw_only=True):
    """Why a decision cannot be made again."""

    message: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why one decision was made."""

    decision_id: str
    timestamp: datetime
    reason: str
    verdict: str
    plane: str
    counterfactual: Flip
    policy_matches: tuple[PolicyMatch, ...] = ()
    matched_rules: tuple[MatchedRule, ...] = ()
    phases: tuple[PhaseOutcome, ...] = ()
    policy_set_hash: str = ""
    trace_id: str = ""
    request_type: str = ""
    tool_signature: str = ""
    context: Mapping[str, str] = {}
    context_truncated: bool = False
    replayable: bool = False
    not_replayable: NotReplayable | None = None


class ReplayedMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A policy of one side of a replay."""

    policy_id: str
    name: str = ""
    action: str = ""
    path: str = ""
    span_count: int = 0


class ReplaySide(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict of a replay, and what it came from."""

    verdict: str
    reason: str = ""
    policy_set_hash: str = ""
    matches: tuple[ReplayedMatch, ...] = ()
    match_count: int = 0


class ReplayChange(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one policy; an action is None where it did not match."""

    policy_id: str
    then: str | None = None
    now: str | None = None
    why: str = ""


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A decision made again, or why it cannot be."""

    decision_id: str
    timestamp: datetime
    against: str
    replayable: bool
    recorded: ReplaySide
    exact: bool | None = None
    same: bool | None = None
    same_matches: bool | None = None
    replayed: ReplaySide | None = None
    changes: tuple[ReplayChange, ...] = ()
    inexact: tuple[str, ...] = ()
    not_replayable: NotReplayable | None = None


class TracedRow(msgspec.Struct, frozen=True):
    """A row of a trace and the table that it stands in."""

    source: str
    timestamp: datetime
    row: Mapping[str, Any]


class Correlation(msgspec.Struct, frozen=True, kw_only=True):
    """Every row of one trace, oldest first."""

    trace_id: str
    rows: tuple[TracedRow, ...]
    partial: bool = False


class PolicyCount(msgspec.Struct, frozen=True):
    """How many calls a policy matched in."""

    policy_id: str
    policy_name: str
    count: int


class Step(msgspec.Struct, frozen=True):
    """The calls of one hour or day, by the words of an audit entry."""

    start: datetime
    by_action: Mapping[str, int]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of a window."""

    start_time: datetime
    end_time: datetime
    total_requests: int
    blocked_requests: int
    block_rate_percent: float
    avg_latency_ms: float
    by_action: Mapping[str, int]
    top_policies: tuple[PolicyCount, ...] = ()
    series: tuple[Step, ...] = ()


class GapCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Pre-checks of Gateway Mode and what became of them."""

    approved: int
    audited: int
    unaudited: int
    open: int
    denied: int
    called_despite_denial: int


class GapTotals(GapCounts, frozen=True, kw_only=True):
    """Of the whole window; ``unknown_contexts`` are reports without a context of ours."""

    unknown_contexts: int = 0


class Gap(GapCounts, frozen=True, kw_only=True):
    """An hour of a client in which something is missing."""

    client_id: str
    hour: datetime


class GapReport(msgspec.Struct, frozen=True, kw_only=True):
    """The gaps of a window; ``total`` counts the hours, ``gaps`` holds the newest of them."""

    since: datetime
    until: datetime
    totals: GapTotals
    gaps: tuple[Gap, ...]
    total: int


class Circuit(msgspec.Struct, frozen=True, kw_only=True):
    """A circuit that stops calls now."""

    scope: str
    scope_id: str
    trip_reason: str | None = None
    tripped_at: datetime | None = None
    expires_at: datetime | None = None


class Circuits(msgspec.Struct, frozen=True, kw_only=True):
    """The open ones."""

    active_circuits: tuple[Circuit, ...]
    count: int
    emergency_stop_active: bool = False
