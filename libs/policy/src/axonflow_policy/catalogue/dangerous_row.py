"""How a row of ``security-dangerous`` is made: a block on requests, moved by the dangerous-commands lever."""

from __future__ import annotations

from axonflow_contracts.posture import Lever
from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.model import Phases, Policy

CATEGORY = "security-dangerous"
# Requests only: a reply that explains a command is not the command being given.
_PHASES = Phases.REQUEST
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
) -> Policy:
    """A row of ``security-dangerous``."""
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
        phases=_PHASES,
        action=Action.BLOCK,
        action_request=Action.BLOCK,
        lever=Lever.DANGEROUS_COMMANDS,
        risk_weight=_RISK[severity],
    )
