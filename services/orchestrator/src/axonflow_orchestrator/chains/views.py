"""A chain as clients read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from axonflow_audit import AuditRow, DecisionChainRow
from axonflow_audit.chains import anchored, holds

_MILLISECOND = timedelta(milliseconds=1)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step; the columns of ``decision_chain`` (agent contract section 4.1) that differ between steps.

    Attributes:
        offset_ms: from the beginning of the first step.
        audit_hash: SHA-256 over the hash of the step before and this row in canonical JSON.
    """

    step_number: int
    name: str
    decision_type: str
    decision_outcome: str
    system_id: str
    model_provider: str
    model_id: str
    policies_evaluated: tuple[str, ...]
    policy_triggered: str
    risk_level: str
    requires_human_review: bool
    started_at: datetime
    offset_ms: float
    processing_time_ms: float
    input_hash: str
    output_hash: str
    data_sources: tuple[str, ...]
    metadata: Mapping[str, object]
    audit_hash: str


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of one decision.

    Attributes:
        verified: every step is there, in order and as it was written, and fits what the decision's row tells of them.
        total_duration_ms: from the beginning of the first step to the end of the last.
    """

    decision_id: str
    chain_id: str
    trace_id: str
    request_id: str
    parent_request_id: str | None
    timestamp: datetime
    steps: tuple[Step, ...]
    verified: bool
    total_duration_ms: float


def chain_of(decision: AuditRow, rows: Sequence[DecisionChainRow]) -> Chain | None:
    """The chain of a decision whose steps are ``rows``; None where neither says that there is one."""
    anchor = anchored(decision)
    if anchor is None and not rows:
        return None
    began = min((row.started_at for row in rows), default=decision.created_at)
    steps = tuple(_step(row, (row.started_at - began) / _MILLISECOND) for row in rows)
    return Chain(
        decision_id=decision.decision_id,
        chain_id=rows[0].chain_id if rows else anchor.id if anchor else "",
        trace_id=decision.trace_id or "",
        request_id=decision.request_id or decision.decision_id,
        parent_request_id=rows[0].parent_request_id if rows else None,
        timestamp=decision.created_at,
        steps=steps,
        verified=holds(rows, anchor),
        total_duration_ms=round(max((step.offset_ms + step.processing_time_ms for step in steps), default=0.0), 3),
    )


def _step(row: DecisionChainRow, offset_ms: float) -> Step:
    return Step(
        step_number=row.step_number,
        name=row.step_name,
        decision_type=row.decision_type,
        decision_outcome=row.decision_outcome,
        system_id=row.system_id,
        model_provider=row.model_provider,
        model_id=row.model_id,
        policies_evaluated=row.policies_evaluated,
        policy_triggered=row.policy_triggered,
        risk_level=row.risk_level,
        requires_human_review=row.requires_human_review,
        started_at=row.started_at,
        offset_ms=round(offset_ms, 3),
        processing_time_ms=row.processing_time_ms,
        input_hash=row.input_hash,
        output_hash=row.output_hash,
        data_sources=row.data_sources,
        metadata=row.metadata,
        audit_hash=row.audit_hash,
    )
