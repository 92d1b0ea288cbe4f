"""What a decision span says, whoever sends it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

CLEAN = "clean"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFacts:
    """What the span says about a decision.

    Attributes:
        stage: what was decided on: llm, tool or agent.
        latency_ms: how long deciding took.
        reasons: why, in words for people; empty when nothing matched.
        context: what an operator allowed to be shown of the caller's context, by name.
    """

    decision_id: str
    stage: str
    verdict: str
    policy_ids: tuple[str, ...]
    latency_ms: float
    reasons: tuple[str, ...]
    org_id: str
    tenant_id: str
    context: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def attributes(self) -> dict[str, str | int | tuple[str, ...]]:
        """The eight attributes of the trace contract (agent.md §6), and one for each value of the context."""
        return {
            "decision.id": self.decision_id,
            "decision.stage": self.stage,
            "decision.verdict": self.verdict,
            "decision.policy_ids": self.policy_ids,
            "decision.latency_ms": int(self.latency_ms),
            "decision.reasons": "; ".join(self.reasons) or CLEAN,
            "org.id": self.org_id,
            "tenant.id": self.tenant_id,
            **{f"request.context.{name}": value for name, value in self.context.items()},
        }
