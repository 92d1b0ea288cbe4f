"""Static policies on the wire, made up for tests."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from axonflow_contracts.policies import StaticPolicy, StaticPolicyMetadata, wire_category
from axonflow_contracts.verdicts import Action, Severity, Tier

EPOCH = datetime(2026, 3, 4, 9, 12, 40, tzinfo=UTC)


def static_policy(
    policy_id: str = "sys_pii_ssn",
    *,
    category: str = "pii-us",
    request: Action | None = Action.BLOCK,
    response: Action | None = Action.REDACT,
    request_origin: str = "stored",
    reason: str = "",
    age_days: int = 0,
    validator: str = "",
    **fields: Any,
) -> StaticPolicy:
    """A policy as the agent answers it; keywords override single fields."""
    moment = EPOCH - timedelta(days=age_days)
    known = StaticPolicyMetadata(
        category=category,
        reason=reason,
        action_request=request,
        action_request_origin=request_origin if request else "",
        action_response=response,
        action_response_origin="stored" if response else "",
        validator=validator,
    )
    values: dict[str, Any] = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, policy_id)),
        "policy_id": policy_id,
        "name": policy_id.replace("_", " ").title(),
        "category": wire_category(category),
        "tier": Tier.SYSTEM,
        "pattern": "[0-9]{3}-[0-9]{2}-[0-9]{4}",
        "severity": Severity.CRITICAL,
        "action": request or Action.LOG,
        "enabled": True,
        "priority": 100,
        "created_at": moment,
        "updated_at": moment,
        "metadata": known,
    }
    return StaticPolicy(**{**values, **fields})


def catalogue_like() -> list[StaticPolicy]:
    """A list with every action, severity, a disabled row, a moved action and hostile text."""
    return [
        static_policy(
            "sys_pii_ssn",
            name="SSN Detection",
            reason="Social Security Number detected",
            description="United States Social Security Numbers that can have been issued.",
            validator="ssn",
        ),
        static_policy(
            "sys_pii_email",
            category="pii-global",
            severity=Severity.MEDIUM,
            priority=50,
            age_days=3,
            request=Action.WARN,
            request_origin="env:PII_ACTION",
            name="Email Address Detection",
        ),
        static_policy(
            "sys_pii_booking_ref",
            category="pii-global",
            severity=Severity.LOW,
            priority=10,
            request=Action.LOG,
            response=Action.LOG,
        ),
        static_policy(
            "sys_admin_config_table",
            category="security-admin",
            severity=Severity.HIGH,
            priority=80,
            request=Action.REQUIRE_APPROVAL,
            response=None,
        ),
        static_policy("sys_dangerous_reverse_shell", category="security-dangerous", response=Action.BLOCK),
        static_policy(
            "sys_code_password_assign",
            category="code-secrets",
            severity=Severity.HIGH,
            priority=90,
            request=None,
            response=None,
            enabled=False,
        ),
        static_policy(
            "sys_hostile",
            category="security-sqli",
            name="<script>alert(1)</script>",
            age_days=9,
            description='"><img src=x onerror=alert(2)>',
            reason="a & b",
            pattern="</code><b>x</b>",
        ),
        *[static_policy(f"sys_sqli_case_{n:03}", category="security-sqli", priority=90) for n in range(120)],
    ]
