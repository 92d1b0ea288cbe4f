"""The one row of a call that was judged on two sides, and its detail row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from axonflow_audit import McpQueryRow
from axonflow_contracts.verdicts import Verdict
from axonflow_governance import Decision, Particulars
from axonflow_policy import Evaluation, Match, redact_excerpt

from axonflow_agent.mcp.content import CONNECTOR, as_json, digest

if TYPE_CHECKING:
    from axonflow_agent.mcp.checks import CheckedCall, Side

_STRENGTH = (Verdict.ALLOWED, Verdict.REDACTED, Verdict.ERROR, Verdict.NEEDS_APPROVAL, Verdict.BLOCKED)
_LONGEST_NAME = 256
# A table of ten thousand addresses is one finding for people; the rest would only push the row over its size.
MOST_MATCHES = 200


def with_match(side: Side, match: Match) -> Side:
    """``side`` denied by one more finding, which decides."""
    evaluation = side.decision.evaluation
    evaluation = msgspec.structs.replace(
        evaluation, verdict=Verdict.BLOCKED, matches=(match, *evaluation.matches), reason=match.reason
    )
    decision = msgspec.structs.replace(side.decision, evaluation=evaluation, verdict=Verdict.BLOCKED)
    return msgspec.structs.replace(side, decision=decision)


def merged(request: Side | None, response: Side | None) -> Decision:
    """One decision on both sides: the stronger verdict, every finding, the input of the request."""
    if request is None or response is None:
        side = request or response
        if side is None:
            raise RuntimeError("a call is recorded after it was judged")
        return side.decision
    first, second = request.decision, response.decision
    stronger = max((second, first), key=lambda each: _STRENGTH.index(each.verdict))
    matches = sorted(
        (*first.evaluation.matches, *second.evaluation.matches),
        key=lambda each: (-each.action.strength, -each.priority, each.policy_id, each.path),
    )
    evaluation = Evaluation(
        verdict=stronger.evaluation.verdict,
        matches=tuple(matches),
        reason=stronger.evaluation.reason,
        policy_set_hash=second.evaluation.policy_set_hash,
        failure=stronger.evaluation.failure,
    )
    return msgspec.structs.replace(
        first,
        evaluation=evaluation,
        verdict=stronger.verdict,
        phase=second.phase,
        redactions=first.redactions + second.redactions,
        latency_ms=first.latency_ms + second.latency_ms,
    )


def folded(decision: Decision) -> Decision:
    """``decision`` with no more findings than a row should hold: the first of each policy, then the strongest."""
    matches = decision.evaluation.matches
    if len(matches) <= MOST_MATCHES:
        return decision
    seen: dict[str, Match] = {}
    for match in matches:
        seen.setdefault(match.policy_id, match)
    first = list(seen.values())
    kept = {id(match) for match in first[:MOST_MATCHES]}
    kept |= {id(match) for match in matches[: MOST_MATCHES - len(kept)]}
    evaluation = msgspec.structs.replace(
        decision.evaluation, matches=tuple(match for match in matches if id(match) in kept)
    )
    return msgspec.structs.replace(decision, evaluation=evaluation)


def particulars(checked: CheckedCall, decision: Decision, failure: str, metadata: Mapping[str, Any]) -> Particulars:
    """What the MCP planes add to the row."""
    row = _detail(checked, decision, failure)
    kept: dict[str, Any] = {"target": {"type": "mcp", "tool": row.connector_name}, "operation": row.operation}
    if failure:
        kept["error"] = failure
    found = len(decision.evaluation.matches)
    if found > MOST_MATCHES:
        kept["findings"] = found
    return Particulars(request_type=f"mcp-{row.operation}", metadata={**kept, **metadata}, details=(row,))


def _detail(checked: CheckedCall, decision: Decision, failure: str) -> McpQueryRow:
    ask, request, response, out = checked.asked, checked.request, checked.response, checked.exfiltration
    return McpQueryRow(
        org_id=decision.caller.org_id,
        created_at=decision.exchange.received_at,
        id=decision.exchange.decision_id,
        tenant_id=decision.caller.tenant_id,
        client_id=decision.caller.client_id,
        user_id=decision.caller.user.id or None,
        connector_name=_shown(ask.connector, decision),
        operation=ask.operation,
        statement_hash=digest(ask.statement) if ask.statement else None,
        parameters_hash=digest(as_json(ask.parameters)) if ask.parameters else None,
        parameter_count=len(ask.parameters),
        request_blocked=request is not None and request.decision.denied,
        request_block_reason=(request.decision.evaluation.reason or None) if request else None,
        request_policies_evaluated=request.policies_evaluated if request else 0,
        request_matched_policies=_ids(request),
        response_blocked=response is not None and response.decision.denied,
        response_policies_evaluated=response.policies_evaluated if response else 0,
        response_matched_policies=_ids(response),
        response_redacted=bool(checked.redacted_fields),
        response_redactions_count=response.redactions if response else 0,
        response_redacted_fields=checked.redacted_fields,
        exfil_rows_returned=out.rows_returned if out else 0,
        exfil_bytes_returned=out.bytes_returned if out else 0,
        exfil_exceeded=out is not None and out.exceeded,
        exfil_limit_type=out.limit_type if out else "none",
        row_count=out.rows_returned if out else 0,
        duration_ms=decision.exchange.elapsed_ms,
        success=not (decision.denied or failure),
        error_message=failure or None,
    )


def _ids(side: Side | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(match.policy_id for match in side.matches)) if side else ()


def _shown(connector: str, decision: Decision) -> str:
    found = [match for match in decision.evaluation.matches if match.path == CONNECTOR]
    return (redact_excerpt(connector, found) if found else connector)[:_LONGEST_NAME]
