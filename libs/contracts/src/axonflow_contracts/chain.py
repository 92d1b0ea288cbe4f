"""The steps of a governed request, as the orchestrator tells them to the agent, which writes them down.

Words and members are those of ``decision_chain`` (agent contract section 4.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class StepType(StrEnum):
    """What kind of work a step was; stored as ``decision_type``."""

    POLICY = "policy_enforcement"
    MODEL = "llm_generation"
    DATA = "data_retrieval"
    HUMAN = "human_review"
    SYSTEM = "system_action"


class StepOutcome(StrEnum):
    """How a step came out; stored as ``decision_outcome``."""

    APPROVED = "approved"
    BLOCKED = "blocked"
    MODIFIED = "modified"
    PENDING = "pending_review"
    ERROR = "error"


class ChainStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step. No member holds a caller's words: what was judged is told by its hash.

    Attributes:
        step_type: what kind of work it was.
        name: what people call it: system policies, tenant policies, budget, provider choice, model call, retry,
            response policies, redaction, cost, media.
        system_id: which service took it, with its version.
        outcome: how it came out.
        provider: model provider, where one was chosen or called; ``model`` likewise.
        policies_evaluated: ids of the policies that matched or were asked.
        policy_triggered: the one that decided the outcome.
        risk_level: the worst severity of what matched, or another word of the plane.
        started_at: with its zone.
        duration_ms: how long it took.
        input_hash: SHA-256 of what went in, hex; ``output_hash`` of what came out.
        data_sources: what data was read from.
        metadata: what else is worth knowing, such as ``reason``, ``cost_usd`` or ``tokens``; plain JSON values.
    """

    step_type: StepType
    name: str
    system_id: str
    outcome: StepOutcome
    provider: str = ""
    model: str = ""
    policies_evaluated: tuple[str, ...] = ()
    policy_triggered: str = ""
    risk_level: str = ""
    requires_human_review: bool = False
    started_at: datetime
    duration_ms: float
    input_hash: str = ""
    output_hash: str = ""
    data_sources: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)
