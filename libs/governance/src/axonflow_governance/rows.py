"""A decision as the record tells it."""

from __future__ import annotations

from typing import Any

import msgspec
from axonflow_audit import (
    AuditEntry,
    AuditRow,
    DecisionChainRow,
    DetailRow,
    LlmCallRow,
    MatchedPolicy,
    SealedInputRow,
)
from axonflow_audit.chains import anchor_of
from axonflow_audit.rows import CHAIN_MEMBER, MOST_SPANS
from axonflow_contracts.caller import ANONYMOUS_TENANT
from axonflow_contracts.verdicts import WIRE_WORDS, Phase, Severity, Tier, Verdict, Wire
from axonflow_policy import Match

from axonflow_governance.decision import Decision, Exchange, ModelCall, Particulars, Refusal
from axonflow_governance.inputs import KeptInput

# Requests that were turned away for who sent them, or how often, were decided on; the others were not understood.
_DENIALS = frozenset({401, 402, 403, 429})

# Members of a request that tell a model what it may call or how it must answer.
_DEFINITIONS = frozenset({"tools", "functions", "response_format"})

_PLAIN = Particulars()


def entry_for_call(decision: Decision, call: ModelCall | None, particulars: Particulars | None = None) -> AuditEntry:
    """The decision's row, and beside it the row of the model call that it governed, unless a plane brings its own."""
    added = particulars or _PLAIN
    details: list[DetailRow] = [*added.details]
    if call is not None and not any(isinstance(detail, LlmCallRow) for detail in added.details):
        details.append(_call_row(decision, call))
    if decision.kept is not None:
        details.append(_input_row(decision, decision.kept))
    return AuditEntry(_decision_row(decision, call, added), tuple(details))


def _input_row(decision: Decision, kept: KeptInput) -> SealedInputRow:
    exchange, caller = decision.exchange, decision.caller
    return SealedInputRow(
        org_id=caller.org_id,
        created_at=exchange.received_at,
        id=exchange.decision_id,
        tenant_id=caller.tenant_id,
        sealed=kept.sealed,
        omitted=kept.omitted,
        size_bytes=kept.size_bytes,
    )


def _decision_row(decision: Decision, call: ModelCall | None, added: Particulars) -> AuditRow:
    exchange, caller = decision.exchange, decision.caller
    tokens = call.prompt_tokens + call.completion_tokens if call else 0
    return AuditRow(
        id=exchange.decision_id,
        decision_id=exchange.decision_id,
        created_at=exchange.received_at,
        trace_id=exchange.trace.trace_id,
        org_id=caller.org_id,
        tenant_id=caller.tenant_id,
        client_id=caller.client_id,
        user_id=caller.user.id or None,
        user_email=caller.user.email or None,
        user_role=caller.user.role or None,
        plane=exchange.plane.value,
        phase=decision.phase.value,
        request_type=added.request_type or ("llm_chat" if call else None),
        verdict=decision.verdict.value,
        matched_policies=tuple(matched_policy(match, decision.phase) for match in decision.evaluation.matches),
        policy_set_hash=decision.evaluation.policy_set_hash,
        reason=decision.evaluation.reason or None,
        query=decision.excerpt or None,
        query_hash=decision.content_hash,
        latency_ms=decision.latency_ms,
        redaction_count=decision.redactions,
        provider=call.provider if call else None,
        model=call.model if call else None,
        response_time_ms=exchange.elapsed_ms,
        tokens_used=tokens,
        cost_usd=call.cost_usd if call else None,
        error_message=call.error or None if call else None,
        metadata=_metadata(call, added),
        response_sample=added.response_sample,
        redacted_fields=added.redacted_fields,
    )


def _call_row(decision: Decision, call: ModelCall) -> LlmCallRow:
    exchange, caller = decision.exchange, decision.caller
    metadata: dict[str, Any] = {
        "source": exchange.plane.value,
        "decision_id": exchange.decision_id,
        "org_id": caller.org_id,
        "tenant_id": caller.tenant_id,
        "verdict": WIRE_WORDS[Wire.LLM_CALL_AUDIT][decision.verdict],
        **_status(call),
    }
    if decision.denied and decision.evaluation.matches:
        metadata["blocking_policy"] = decision.evaluation.matches[0].policy_id
    if call.cost_estimated:
        metadata["cost"] = "estimated"
    return LlmCallRow(
        id=exchange.decision_id,
        created_at=exchange.received_at,
        org_id=caller.org_id,
        tenant_id=caller.tenant_id,
        client_id=caller.client_id,
        provider=call.provider,
        model=call.model,
        prompt_tokens=call.prompt_tokens,
        completion_tokens=call.completion_tokens,
        total_tokens=call.prompt_tokens + call.completion_tokens,
        cached_tokens=call.cached_tokens,
        latency_ms=call.latency_ms,
        estimated_cost_usd=call.cost_usd,
        decision=WIRE_WORDS[Wire.LLM_CALL_AUDIT][decision.verdict],
        metadata=metadata,
    )


def row_for_refusal(exchange: Exchange, refusal: Refusal, org_id: str) -> AuditRow:
    """The row of a request that was turned away; its sender's text is not kept, since nothing of it was judged."""
    caller = refusal.caller
    return AuditRow(
        id=exchange.decision_id,
        decision_id=exchange.decision_id,
        created_at=exchange.received_at,
        trace_id=exchange.trace.trace_id,
        org_id=caller.org_id if caller else org_id,
        tenant_id=caller.tenant_id if caller else ANONYMOUS_TENANT,
        client_id=caller.client_id if caller else "",
        plane=exchange.plane.value,
        phase=Phase.REQUEST.value,
        verdict=(Verdict.BLOCKED if refusal.status in _DENIALS else Verdict.ERROR).value,
        reason=refusal.reason,
        error_message=refusal.message,
        response_time_ms=exchange.elapsed_ms,
        metadata={"status": refusal.status},
    )


def matched_policy(match: Match, phase: Phase) -> MatchedPolicy:
    """A match as the record tells it: never what it matched."""
    return MatchedPolicy(
        policy_id=match.policy_id,
        name=match.name,
        category=match.category,
        severity=match.severity.value,
        action=match.action.value,
        origin=match.origin,
        path=match.path,
        role=match.role or _role_of(match.path, phase),
        spans=match.spans[:MOST_SPANS],
        span_count=len(match.spans),
        reason=match.reason,
        tier=match.tier.value,
        risk=match.risk_weight,
        overridable=match.tier is Tier.SYSTEM and match.severity is not Severity.CRITICAL,
    )


def _role_of(path: str, phase: Phase) -> str:
    """Whose words stand at ``path`` where the plane did not say: a definition's, the answerer's or the asker's."""
    if path.partition("[")[0].partition(".")[0] in _DEFINITIONS:
        return "definition"
    return "assistant" if phase is Phase.RESPONSE else "user"


def _metadata(call: ModelCall | None, added: Particulars) -> dict[str, Any]:
    kept = {**added.metadata, **_status(call)}
    anchor = anchor_of([row for row in added.details if isinstance(row, DecisionChainRow)])
    if anchor is not None:
        kept[CHAIN_MEMBER] = msgspec.to_builtins(anchor)
    return {**kept, "context": dict(added.context)} if added.context else kept


def _status(call: ModelCall | None) -> dict[str, Any]:
    if call is None:
        return {}
    return {**call.metadata, "status": call.status} if call.status else dict(call.metadata)
