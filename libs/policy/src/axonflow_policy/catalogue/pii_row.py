"""How a row of personal data is made: judged on both sides, redacted in answers, moved by the PII lever."""

from __future__ import annotations

from axonflow_contracts.posture import Lever
from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.model import Policy

_RISK = {Severity.CRITICAL: 0.9, Severity.HIGH: 0.7, Severity.MEDIUM: 0.4, Severity.LOW: 0.1}


def row(
    policy_id: str,
    name: str,
    category: str,
    pattern: str,
    validator: str | None = None,
    *,
    severity: Severity,
    priority: int,
    reason: str,
    description: str,
    action: Action,
    request: Action,
    response: Action = Action.REDACT,
    risk_weight: float | None = None,
) -> Policy:
    """A row of a ``pii-*`` category; ``action`` as the contract stores it, the others as rulings section 4.

    ``risk_weight`` follows from the severity unless given.
    """
    return Policy(
        id=f"sys_pii_{policy_id}",
        name=name,
        category=category,
        severity=severity,
        priority=priority,
        pattern=pattern,
        validator=validator,
        reason=reason,
        description=description,
        action=action,
        action_request=request,
        action_response=response,
        lever=Lever.PII,
        risk_weight=_RISK[severity] if risk_weight is None else risk_weight,
    )
