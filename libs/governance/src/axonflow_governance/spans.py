"""A decision as the trace tells it."""

from __future__ import annotations

from collections.abc import Mapping

from axonflow_contracts.verdicts import WIRE_WORDS, Wire
from axonflow_telemetry import DecisionFacts

from axonflow_governance.decision import Decision


def facts_of(decision: Decision, stage: str, context: Mapping[str, str]) -> DecisionFacts:
    """The eight attributes of the decision span (contract, agent section 6), and the context that may be shown."""
    return DecisionFacts(
        decision_id=decision.exchange.decision_id,
        stage=stage,
        verdict=WIRE_WORDS[Wire.DECIDE][decision.verdict],
        policy_ids=tuple(dict.fromkeys(match.policy_id for match in decision.evaluation.matches)),
        latency_ms=decision.latency_ms,
        reasons=tuple(dict.fromkeys(match.reason for match in decision.evaluation.matches)),
        org_id=decision.caller.org_id,
        tenant_id=decision.caller.tenant_id,
        context=context,
    )
