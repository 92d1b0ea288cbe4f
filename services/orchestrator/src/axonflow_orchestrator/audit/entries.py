"""A row of the record as clients read it: the contract's keys, and those that the SDKs look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from axonflow_audit import AuditRow, MatchedPolicy
from axonflow_contracts.verdicts import WIRE_WORDS, Action, Severity, Verdict, Wire

# Rows of versions that kept no weight: by what people call it.
_WEIGHTS = {Severity.CRITICAL: 0.9, Severity.HIGH: 0.7, Severity.MEDIUM: 0.4, Severity.LOW: 0.2}
_VIOLATIONS = frozenset({Action.BLOCK.value, Action.REQUIRE_APPROVAL.value, Action.REDACT.value})
_STOPPED = frozenset({Verdict.BLOCKED.value, Verdict.NEEDS_APPROVAL.value})
_RANKS = {severity.value: rank for rank, severity in enumerate(Severity)}  # critical first


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry; texts are empty and numbers zero where a row says nothing, since SDKs take no null here."""

    id: str
    request_id: str
    decision_id: str
    trace_id: str
    timestamp: datetime
    user_id: str
    user_email: str
    user_role: str
    client_id: str
    tenant_id: str
    org_id: str
    plane: str
    phase: str
    request_type: str
    query: str
    query_summary: str
    query_hash: str
    policy_decision: str
    verdict: str
    reason: str
    policy_details: Mapping[str, Any]
    policy_violations: tuple[str, ...]
    success: bool
    blocked: bool
    risk_score: float
    provider: str
    model: str
    latency_ms: int
    response_time_ms: int
    tokens_used: int
    cost: float
    redacted_fields: tuple[str, ...]
    redaction_count: int
    error_message: str
    response_sample: str
    compliance_flags: tuple[str, ...]
    security_metrics: Mapping[str, Any]
    metadata: Mapping[str, Any]
    folded_count: int


def entry_of(row: AuditRow) -> Entry:
    """``row`` on the wire."""
    return Entry(
        id=row.id,
        request_id=row.request_id or row.decision_id,
        decision_id=row.decision_id,
        trace_id=row.trace_id or "",
        timestamp=row.created_at,
        user_id=row.user_id or "",
        user_email=row.user_email or "",
        user_role=row.user_role or "",
        client_id=row.client_id,
        tenant_id=row.tenant_id,
        org_id=row.org_id,
        plane=row.plane,
        phase=row.phase or "",
        request_type=row.request_type or "",
        query=row.query or "",
        query_summary=row.query or "",
        query_hash=row.query_hash or "",
        policy_decision=WIRE_WORDS[Wire.AUDIT_ENTRY][Verdict(row.verdict)],
        verdict=row.verdict,
        reason=row.reason or "",
        success=row.verdict not in _STOPPED and row.verdict != Verdict.ERROR.value,
        blocked=row.verdict in _STOPPED,
        provider=row.provider or "",
        model=row.model or "",
        latency_ms=_whole(row.response_time_ms if row.response_time_ms is not None else row.latency_ms),
        response_time_ms=_whole(row.response_time_ms),
        tokens_used=max(0, row.tokens_used or 0),
        cost=float(row.cost_usd or 0),
        redaction_count=row.redaction_count,
        error_message=row.error_message or "",
        response_sample=row.response_sample or "",
        metadata=row.metadata,
        folded_count=row.folded_count,
        **_told_by_policies(row),
    )


def _told_by_policies(row: AuditRow) -> dict[str, Any]:
    """The members that follow from what matched."""
    matched, reason = row.matched_policies, row.reason or ""
    score = risk_score(matched)
    flags = (each.category for each in matched if each.category.startswith("compliance-"))
    return {
        "policy_details": {"policies": matched, "policy_set_hash": row.policy_set_hash or "", "reason": reason},
        "policy_violations": _once(each.policy_id for each in matched if each.action in _VIOLATIONS),
        "risk_score": score,
        "redacted_fields": _once(
            [*row.redacted_fields, *(each.path for each in matched if each.action == Action.REDACT.value)]
        ),
        "compliance_flags": _once(flags),
        "security_metrics": {
            "risk_score": score, "risk_level": risk_level(matched) or "none", "matches": len(matched),
        },
    }  # fmt: skip


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def risk_score(matched: tuple[MatchedPolicy, ...]) -> float:
    """0 to 1: the weightiest policy that matched."""
    return max((_weight(each) for each in matched), default=0.0)


def risk_level(matched: tuple[MatchedPolicy, ...]) -> str | None:
    """The worst severity of what matched: critical, high, medium or low; None without a match."""
    named = [each.severity for each in matched if each.severity in _RANKS]
    return min(named, key=_RANKS.__getitem__, default=None)


def _weight(policy: MatchedPolicy) -> float:
    if policy.risk is not None:
        return min(1.0, max(0.0, policy.risk))
    return _WEIGHTS[Severity(policy.severity)] if policy.severity in _RANKS else 0.0


def _whole(value: float | None) -> int:
    return max(0, round(value or 0))
