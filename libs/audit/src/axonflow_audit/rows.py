"""Rows of the record (rulings §5): one ``AuditRow`` for each governed call, details of model calls beside it.

Fields are columns, by name and in order; ``created_at`` is stamped at the decision and is part of each key, so that a
row written twice is one row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

import msgspec

_NOTHING: Mapping[str, object] = MappingProxyType({})

MOST_SPANS = 32
CHAIN_MEMBER = "chain"  # of a decision's metadata: see ``axonflow_audit.chains``


class MatchedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that matched, and where its action came from; never what it matched.

    Attributes:
        origin: ``stored``, ``profile:strict``, ``env:PII_ACTION``, ``override:<id>`` and their like.
        path: the part of the call it matched in, such as ``messages[0].content``.
        role: whose words that part holds, such as ``user``, ``assistant`` or ``tool``.
        spans: half-open character ranges in the part's text, the first `MOST_SPANS` of them.
        span_count: how many there were; 0 in rows of versions that did not count.
        reason: the policy's own phrase for people.
        tier: system, organization or tenant.
        risk: 0 to 1, the policy's weight; None in rows of versions that did not keep it.
        overridable: whether an override may act less strictly: only the product's own policies take one, and none
            weakens a critical one.
    """

    policy_id: str
    name: str = ""
    category: str = ""
    severity: str = ""
    action: str = ""
    origin: str = ""
    path: str = ""
    role: str = ""
    spans: tuple[tuple[int, int], ...] = ()
    span_count: int = 0
    reason: str = ""
    tier: str = ""
    risk: float | None = None
    overridable: bool = False


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``audit_logs``: what was decided on one governed call, and how it went.

    Attributes:
        created_at: when the decision fell; must know its zone.
        id: the row's key within its organisation and moment, commonly the decision id.
        verdict: allowed, blocked, redacted, needs_approval or error.
        query: redacted input, at most 500 characters.
        input_flagged: text held what PostgreSQL cannot keep, or was too long, and was altered. Set by the log.
        latency_ms: how long deciding took; ``response_time_ms`` is the whole call.
        folded_count: how many equal refusals the row stands for.
        response_sample: the beginning of the answer after redaction, where it was drawn for review.
        redacted_fields: what was masked in the answer, by kind or by place.
    """

    org_id: str
    created_at: datetime
    id: str
    decision_id: str
    request_id: str | None = None
    trace_id: str | None = None
    tenant_id: str = ""
    client_id: str = ""
    user_id: str | None = None
    user_email: str | None = None
    user_role: str | None = None
    plane: str
    phase: str | None = None
    request_type: str | None = None
    verdict: str
    matched_policies: tuple[MatchedPolicy, ...] = ()
    policy_set_hash: str | None = None
    reason: str | None = None
    query: str | None = None
    query_hash: str | None = None
    input_flagged: bool = False
    latency_ms: float | None = None
    redaction_count: int = 0
    provider: str | None = None
    model: str | None = None
    response_time_ms: float | None = None
    tokens_used: int | None = None
    cost_usd: Decimal | None = None
    error_message: str | None = None
    metadata: Mapping[str, object] = _NOTHING
    folded_count: int = 1
    row_hash: str | None = None
    canonical_version: int | None = None
    response_sample: str | None = None
    redacted_fields: tuple[str, ...] = ()


class LlmCallRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``llm_call_audits``: one call to a model, with zero tokens where none were used.

    Attributes:
        id: the decision id; clients know it as ``audit_id``.
        decision: allow, deny or error, the words of ``WIRE_WORDS[Wire.LLM_CALL_AUDIT]``.
        latency_ms: of the upstream call.
    """

    org_id: str
    created_at: datetime
    id: str
    context_id: str | None = None
    tenant_id: str = ""
    client_id: str = ""
    provider: str = ""
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0
    latency_ms: float | None = None
    estimated_cost_usd: Decimal = Decimal(0)
    decision: str
    response_summary_hash: str | None = None
    metadata: Mapping[str, object] = _NOTHING


class GatewayContextRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``gateway_contexts``: an answer of Gateway Mode that a client may later report its model call under.

    Attributes:
        id: the decision id; clients know it as ``context_id``.
        user_token_hash: SHA-256 of the token, hex; None without one.
        query_hash: SHA-256 of all judged text, hex.
        expires_at: until when calls may be reported.
    """

    org_id: str
    created_at: datetime
    id: str
    tenant_id: str = ""
    client_id: str = ""
    user_token_hash: str | None = None
    query_hash: str | None = None
    data_sources: tuple[str, ...] = ()
    policies_evaluated: tuple[str, ...] = ()
    approved: bool
    block_reason: str | None = None
    expires_at: datetime


class McpQueryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``mcp_query_audits``: what was asked of a connector, or of a check for one, and what came back.

    Attributes:
        id: the decision id; the contract calls it ``audit_id``.
        connector_name: masked where a policy found something in it.
        operation: query, execute, check-input, check-output, or the action of a tool.
        statement_hash: SHA-256 of the statement, hex; None without one, as ``parameters_hash``.
        response_redacted_fields: JSON paths of what was masked, the first of them.
        exfil_limit_type: rows, bytes or none: the limit that the answer ran over.
        duration_ms: of the whole call.
        success: whether the caller got what it asked for.
    """

    org_id: str
    created_at: datetime
    id: str
    tenant_id: str = ""
    client_id: str = ""
    user_id: str | None = None
    connector_name: str
    operation: str
    statement_hash: str | None = None
    parameters_hash: str | None = None
    parameter_count: int = 0
    request_blocked: bool = False
    request_block_reason: str | None = None
    request_policies_evaluated: int = 0
    request_matched_policies: tuple[str, ...] = ()
    response_blocked: bool = False
    response_policies_evaluated: int = 0
    response_matched_policies: tuple[str, ...] = ()
    response_redacted: bool = False
    response_redactions_count: int = 0
    response_redacted_fields: tuple[str, ...] = ()
    exfil_rows_returned: int = 0
    exfil_bytes_returned: int = 0
    exfil_exceeded: bool = False
    exfil_limit_type: str = "none"
    row_count: int = 0
    duration_ms: float | None = None
    success: bool
    error_message: str | None = None


class SealedInputRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``sealed_inputs``: all that one decision judged, sealed before it comes here; key as the decision's row.

    Attributes:
        sealed: opens for this organisation and id alone; None where nothing was kept.
        omitted: why nothing was kept: ``too_large``, or ``failed`` where it could not be sealed.
        size_bytes: of the content.
    """

    org_id: str
    created_at: datetime
    id: str
    tenant_id: str = ""
    sealed: bytes | None = None
    omitted: str | None = None
    size_bytes: int = 0


TOO_LARGE = "too_large"


class DecisionChainRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``decision_chain``: one step of a governed request, linked to the step before it.

    Attributes:
        chain_id: the decision id, or the chain of an earlier request that this one goes on with.
        step_number: from 1, in the order in which the steps of this decision were taken.
        parent_request_id: the request on whose behalf this one was made, where that is known.
        audit_hash: see `axonflow_audit.chains`.
    """

    org_id: str
    created_at: datetime
    decision_id: str
    step_number: int
    chain_id: str
    request_id: str | None = None
    parent_request_id: str | None = None
    trace_id: str | None = None
    tenant_id: str = ""
    client_id: str = ""
    user_id: str | None = None
    decision_type: str
    step_name: str
    system_id: str = ""
    model_provider: str = ""
    model_id: str = ""
    decision_outcome: str
    policies_evaluated: tuple[str, ...] = ()
    policy_triggered: str = ""
    risk_level: str = ""
    requires_human_review: bool = False
    started_at: datetime
    processing_time_ms: float
    input_hash: str = ""
    output_hash: str = ""
    data_sources: tuple[str, ...] = ()
    metadata: Mapping[str, object] = _NOTHING
    audit_hash: str


DetailRow = LlmCallRow | GatewayContextRow | McpQueryRow | SealedInputRow | DecisionChainRow


class AuditEntry(msgspec.Struct, frozen=True):
    """What is recorded of one governed call; its rows are committed together or not at all."""

    decision: AuditRow
    details: tuple[DetailRow, ...] = ()


AUDIT_LOGS = "audit_logs"
LLM_CALL_AUDITS = "llm_call_audits"
GATEWAY_CONTEXTS = "gateway_contexts"
MCP_QUERY_AUDITS = "mcp_query_audits"
SEALED_INPUTS = "sealed_inputs"
DECISION_CHAIN = "decision_chain"
TABLES: Mapping[str, type[AuditRow | DetailRow]] = MappingProxyType(
    {
        AUDIT_LOGS: AuditRow,
        LLM_CALL_AUDITS: LlmCallRow,
        GATEWAY_CONTEXTS: GatewayContextRow,
        MCP_QUERY_AUDITS: McpQueryRow,
        SEALED_INPUTS: SealedInputRow,
        DECISION_CHAIN: DecisionChainRow,
    }
)
TABLE_OF: Mapping[type[AuditRow | DetailRow], str] = MappingProxyType({kind: name for name, kind in TABLES.items()})
