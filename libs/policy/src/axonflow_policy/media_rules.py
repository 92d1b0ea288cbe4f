"""The product's own rules about images (contract, orchestrator section 1.12): they judge what was found in them."""

from __future__ import annotations

from typing import Any

from axonflow_contracts.verdicts import Tier

from axonflow_policy.conditions import Condition
from axonflow_policy.model import Phases
from axonflow_policy.rules import RuleAction, TenantRule

NSFW_LIMIT = 0.8
VIOLENCE_LIMIT = 0.7


def _row(rule_id: str, name: str, about: str, priority: int, condition: tuple[str, str, Any], *does: str) -> TenantRule:
    field, operator, value = condition
    return TenantRule(
        id=rule_id,
        name=name,
        description=f"{name}: {field} {operator} {str(value).lower()}",
        type="media",
        category=f"media-{about}",
        tier=Tier.SYSTEM,
        priority=priority,
        conditions=(Condition(field=field, operator=operator, value=value),),
        actions=tuple(RuleAction(type=action, config={"message": name}) for action in does),
        phases=Phases.REQUEST,
    )


# A GPS position is personal data too, but it is cut out before a model sees the picture: it is told, not refused.
MEDIA_RULES: tuple[TenantRule, ...] = (
    _row(
        "sys_media_nsfw",
        "Explicit content in an image",
        "safety",
        1000,
        ("media.nsfw_score", "greater_than", NSFW_LIMIT),
        "block",
    ),
    _row(
        "sys_media_violence",
        "Violence in an image",
        "safety",
        950,
        ("media.violence_score", "greater_than", VIOLENCE_LIMIT),
        "alert",
        "log",
    ),
    _row(
        "sys_media_pii",
        "Personal data in an image",
        "pii",
        950,
        ("media.has_pii_beyond_location", "equals", True),
        "block",
    ),
    _row(
        "sys_media_biometric",
        "Biometric data in an image",
        "biometric",
        900,
        ("media.has_biometric_data", "equals", True),
        "log",
    ),
    _row(
        "sys_media_document",
        "Sensitive document in an image",
        "document",
        900,
        ("media.is_sensitive_document", "equals", True),
        "warn",
    ),
)
