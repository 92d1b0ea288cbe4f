"""What passes through the governed call: the exchange it belongs to, the decision, and how the call came out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from axonflow_audit import DetailRow
from axonflow_contracts.caller import Caller
from axonflow_contracts.verdicts import Phase, Plane, Verdict
from axonflow_policy import Evaluation, PolicySet
from axonflow_telemetry import TraceContext

from axonflow_governance.inputs import KeptInput


class Exchange(msgspec.Struct, frozen=True):
    """One request at a door: its decision id and trace exist before anything about it is known.

    Attributes:
        decision_id: UUID; also the key of the rows and the value of ``X-AxonFlow-Decision-Id``.
        trace: continued from ``traceparent``, or fresh.
        plane: the way in.
        received_at: UTC time stamped on the rows, so that replayed rows keep their place.
        started: monotonic seconds, for latencies that a clock change cannot bend.
    """

    decision_id: str
    trace: TraceContext
    plane: Plane
    received_at: datetime
    started: float

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the request was received."""
        return (time.perf_counter() - self.started) * 1000


class Decision(msgspec.Struct, frozen=True):
    """The verdict on one content, and what it was made from.

    Attributes:
        exchange: the request it belongs to.
        caller: for whom it was made.
        evaluation: matches, reason and the hash of the set that decided.
        verdict: the outcome after the plane's edition rules.
        phase: which side was judged.
        excerpt: redacted input for the row, at most 500 characters, or empty.
        content_hash: SHA-256 of all judged text, hex.
        redactions: matches whose text is masked in the excerpt.
        latency_ms: time the judging took, waiting for a scanning thread included.
        kept: the sealed input, or why there is none; None where none is asked for.
        policy_set: the set that judged, for masking by it; None where nothing was judged (a reply given again).
    """

    exchange: Exchange
    caller: Caller
    evaluation: Evaluation
    verdict: Verdict
    phase: Phase
    excerpt: str
    content_hash: str
    redactions: int
    latency_ms: float
    kept: KeptInput | None = None
    policy_set: PolicySet | None = None

    @property
    def denied(self) -> bool:
        """Whether the call must not go on."""
        return self.verdict in {Verdict.BLOCKED, Verdict.NEEDS_APPROVAL, Verdict.ERROR}


class ModelCall(msgspec.Struct, frozen=True, kw_only=True):
    """How the call to the model came out; all zero when none was made."""

    provider: str
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    cost_estimated: bool = False
    latency_ms: float = 0.0
    status: int = 0
    error: str = ""
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Particulars(msgspec.Struct, frozen=True, kw_only=True):
    """What a plane adds to the row of its decision; any text of the caller in it must have been masked.

    Attributes:
        request_type: what was asked for, such as ``pre_check``; a model call is ``llm_chat`` by itself.
        metadata: members of the row's metadata.
        context: values that an operator allowed to be kept, by name; in the row's metadata and on the span.
        details: rows of other tables, committed with the decision's row or not at all.
        response_sample: the beginning of the answer after redaction, where it was drawn for review.
        redacted_fields: what was masked in the answer.
    """

    request_type: str | None = None
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)
    context: Mapping[str, str] = msgspec.field(default_factory=dict)
    details: tuple[DetailRow, ...] = ()
    response_sample: str | None = None
    redacted_fields: tuple[str, ...] = ()


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was turned away before it could be judged.

    Attributes:
        status: the HTTP status it was answered with.
        reason: a short word for counting and folding, such as ``unauthenticated`` or ``malformed``.
        message: what the caller was told.
        address: the peer's address, for folding floods.
        caller: who it was, when that was already known.
    """

    status: int
    reason: str
    message: str
    address: str = ""
    caller: Caller | None = None
