"""How a row of ``security-dangerous`` is made: a block, moved by the dangerous-commands lever."""

from __future__ import annotations

from axonflow_contracts.posture import Lever
from axonflow_contracts.verdicts import Action, Phase, Severity

from axonflow_policy.model import Phases, Policy

CATEGORY = "security-dangerous"
_RISK = {Severity.CRITICAL: 0.9, Severity.HIGH: 0.8, Severity.MEDIUM: 0.6}


def row(
    policy_id: str,
    name: str,
    severity: Severity,
    pattern: str,
    *,
    reason: str,
    description: str,
    validator: str | None = "shell_command",
    priority: int = 90,
    phases: Phases = Phases.BOTH,
) -> Policy:
    """A row of ``security-dangerous``; commands are blocked on both sides of a call (rulings section 4)."""
    return Policy(
        id=f"sys_dangerous_{policy_id}",
        name=name,
        category=CATEGORY,
        severity=severity,
        priority=priority,
        pattern=pattern,
        validator=validator,
        reason=reason,
        description=description,
        phases=phases,
        action=Action.BLOCK,
        action_request=Action.BLOCK,
        action_response=Action.BLOCK if phases.covers(Phase.RESPONSE) else None,
        lever=Lever.DANGEROUS_COMMANDS,
        risk_weight=_RISK[severity],
    )
