"""``POST /api/v1/process`` between agent and orchestrator (orchestrator contract section 3.1).

The contract's members are what clients of the published platform know. ``record`` is for the agent alone, which writes
the one row of the call: whatever the orchestrator decided and did must be in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from axonflow_contracts.chain import ChainStep
from axonflow_contracts.prompt import Prompt
from axonflow_contracts.verdicts import Action, Phase, Severity, Tier, Verdict

PROCESS_PATH = "/api/v1/process"


class ProcessRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One proxied call, judged by the agent's static policies already.

    Attributes:
        request_id: the agent's decision id; one is made where it is missing.
        prompt: what the model may read, masked where a policy redacts; without it, it is read from query and context.
        context: what the client sent beside the query, for rules and for attribution.
        risk_score: 0 to 1, what the static policies found.
        received_at: when the agent got the call; stamped on what is written of it.
    """

    request_id: str = ""
    query: str = ""
    request_type: str = ""
    skip_llm: bool = False
    context: dict[str, Any] = {}
    media: list[Any] = []
    prompt: Prompt | None = None
    risk_score: float = 0.0
    received_at: datetime | None = None


class JudgedPolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A policy that matched on the orchestrator's side, as the record tells it; never what it matched.

    Attributes:
        action: what it weighed; None where it only routed or changed the risk score.
        phase: the side on which it matched.
        spans: half-open character ranges in the text at ``path``, the first of them.
    """

    policy_id: str
    name: str
    category: str = ""
    severity: Severity = Severity.MEDIUM
    priority: int = 0
    action: Action | None = None
    origin: str = "stored"
    reason: str = ""
    path: str = ""
    spans: tuple[tuple[int, int], ...] = ()
    role: str = ""
    tier: Tier = Tier.TENANT
    risk_weight: float = 0.5
    phase: Phase = Phase.REQUEST


class CallFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The call to the model, all attempts together.

    Attributes:
        provider: its configured name; ``pricing`` is the provider's name in the price table.
        cost_usd: of every attempt that was or may have been paid for.
        cost_estimated: no price is known, or the provider did not count.
        status: what the last attempt answered; 0 where nothing did.
        error: why there is no reply, in words of ours.
    """

    provider: str
    model: str
    pricing: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    cost_estimated: bool = False
    latency_ms: float = 0.0
    status: int = 0
    error: str = ""


class SealedReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The reply as the model wrote it, sealed for ``id``; or why it was not kept."""

    id: str
    sealed: bytes | None = None
    omitted: str | None = None
    size_bytes: int = 0


class ProcessRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the agent writes down of the orchestrator's part.

    Attributes:
        verdict: of everything decided here.
        phase: the side that was judged last.
        matches: the deciding one first.
        policy_set_hash: of the set that judged the reply, with the tenant's rules in it.
        redactions: how many findings were masked in the reply.
        response_sample: the beginning of what the caller gets, where it is sampled.
        usage_unrecorded: the usage record could not be written; the agent writes it with its row.
        metadata: members of the row's metadata.
    """

    verdict: Verdict = Verdict.ALLOWED
    phase: Phase = Phase.REQUEST
    reason: str = ""
    matches: tuple[JudgedPolicy, ...] = ()
    policy_set_hash: str = ""
    risk_score: float | None = None
    call: CallFacts | None = None
    chain: tuple[ChainStep, ...] = ()
    redactions: int = 0
    redacted_fields: tuple[str, ...] = ()
    response_sample: str | None = None
    sealed_reply: SealedReply | None = None
    usage_unrecorded: bool = False
    metadata: Mapping[str, Any] = {}


class PolicyDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A member of ``applied_policies_detail``."""

    policy_id: str
    policy_name: str
    description: str = ""
    action: str = ""
    risk_level: str = ""
    allow_override: bool = False
    matched_rule: str = ""


class ProcessPolicyInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``policy_info`` of the contract."""

    allowed: bool
    applied_policies: tuple[str, ...]
    risk_score: float
    required_actions: tuple[str, ...]
    processing_time_ms: float
    database_accessed: bool
    applied_policies_detail: tuple[PolicyDetail, ...] = ()
    severity: str = ""
    severity_policy_id: str = ""
    preferred_provider: str = ""
    allowed_providers: tuple[str, ...] | None = None
    routing_reason: str = ""


class ProviderInfo(msgspec.Struct, frozen=True, kw_only=True):
    """``provider_info`` of the contract."""

    provider: str
    model: str
    response_time_ms: float
    tokens_used: int
    cost: float


class ProcessReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer, whatever its status.

    Attributes:
        blocked: a policy, a budget or a failure of either stopped it; then ``error`` says why.
        code: a word for the kind of failure, empty for success.
    """

    request_id: str
    success: bool
    redacted: bool
    redacted_fields: tuple[str, ...]
    policy_info: ProcessPolicyInfo
    processing_time: str
    data: Any = None
    error: str = ""
    blocked: bool = False
    code: str = ""
    provider_info: ProviderInfo | None = None
    budget_info: Mapping[str, Any] | None = None
    media_analysis: Any = None
    record: ProcessRecord = ProcessRecord()
