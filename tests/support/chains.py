"""Proxied requests with their chains, written as a plane writes them."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from axonflow_audit import AuditEntry, AuditLog, AuditRow
from axonflow_contracts.caller import Caller
from axonflow_contracts.chain import ChainStep, StepOutcome, StepType
from axonflow_contracts.verdicts import Phase, Plane, Verdict
from axonflow_governance import Decision, Exchange, ModelCall, Particulars
from axonflow_governance.chain import chain_rows
from axonflow_governance.rows import entry_for_call
from axonflow_policy import Evaluation
from axonflow_telemetry import TraceContext

ORCHESTRATOR = "axonflow-orchestrator/8.4.0"


def proxied_steps(began: datetime) -> tuple[ChainStep, ...]:
    """The eight steps of a request whose first provider failed and whose answer was masked."""

    def step(kind: StepType, name: str, outcome: StepOutcome, at: float, took: float, **more: Any) -> ChainStep:
        return ChainStep(
            step_type=kind,
            name=name,
            system_id=ORCHESTRATOR,
            outcome=outcome,
            started_at=began + timedelta(milliseconds=at),
            duration_ms=took,
            input_hash="ab" * 32,
            **more,
        )

    policy, system, model = StepType.POLICY, StepType.SYSTEM, StepType.MODEL
    good, changed = StepOutcome.APPROVED, StepOutcome.MODIFIED
    openai = {"provider": "openai", "model": "gpt-4o"}
    claude = {"provider": "anthropic", "model": "claude-sonnet-4"}
    chosen = {"metadata": {"reason": "weighted: openai 0.6, anthropic 0.4"}, **openai}
    failed = {"metadata": {"reason": "503 from the provider"}, **openai}
    paid = {"metadata": {"cost_usd": "0.00345", "tokens": 420}, **claude}
    masked = {"policies_evaluated": ("sys_pii_ssn", "sys_pii_email"), "policy_triggered": "sys_pii_ssn"}
    return (
        step(policy, "system policies", good, 0, 0.41, policies_evaluated=("sys_pii_email",)),
        step(policy, "tenant policies", good, 0.5, 0.2),
        step(system, "budget", good, 0.8, 1.1, metadata={"remaining_usd": "12.5"}),
        step(system, "provider choice", good, 2, 0.05, **chosen),
        step(model, "model call", StepOutcome.ERROR, 2.1, 310.5, **failed),
        step(model, "retry", good, 313, 640.25, output_hash="cd" * 32, **claude),
        step(policy, "response policies", changed, 954, 0.6, risk_level="critical", **masked),
        step(system, "cost", good, 955, 0.9, **paid),
    )


def proxied_entry(
    caller: Caller, *, chain_id: str | None = None, trace: TraceContext | None = None, **added: Any
) -> AuditEntry:
    """The entry of such a request; keywords are further particulars, ``steps`` among them."""
    now = datetime.now(UTC) - timedelta(seconds=1)
    traced = trace or TraceContext.from_headers(None)
    exchange = Exchange(str(uuid.uuid4()), traced, Plane.PROXY, now, time.perf_counter())
    decision = Decision(
        exchange=exchange,
        caller=caller,
        evaluation=Evaluation(verdict=Verdict.ALLOWED, matches=(), reason="", policy_set_hash="0" * 64),
        verdict=Verdict.ALLOWED,
        phase=Phase.REQUEST,
        excerpt="What is my balance?",
        content_hash="ab" * 32,
        redactions=0,
        latency_ms=0.5,
    )
    details = chain_rows(exchange, caller, added.pop("steps", proxied_steps(now)), chain_id)
    call = ModelCall(provider="anthropic", model="claude-sonnet-4", prompt_tokens=400, completion_tokens=20)
    return entry_for_call(decision, call, Particulars(details=details, **added))


async def write_proxied(audit: AuditLog, caller: Caller, **added: Any) -> AuditRow:
    """Write one; gives its decision's row."""
    entry = proxied_entry(caller, **added)
    await audit.write(entry)
    return entry.decision
