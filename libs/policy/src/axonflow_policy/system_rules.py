"""The product's own dynamic policies (contract, agent section 3.3): ids, names and intents are its, conditions ours."""

from __future__ import annotations

from typing import Any

from axonflow_contracts.verdicts import Tier

from axonflow_policy.conditions import Condition
from axonflow_policy.media_rules import MEDIA_RULES
from axonflow_policy.rules import RuleAction, TenantRule

Asked = tuple[str, str, Any]

_HEALTH = r"(?i)\b(?:patients?|diagnos[ei]s|treatments?|medical[_ ]records?|prescriptions?)\b"
_FINANCE = r"(?i)\b(?:account[_ ]balances?|transactions?|credit[_ ]scores?|salar(?:y|ies))\b"
_SENSITIVE = r"(?i)\b(?:salar(?:y|ies)|ssns?|medical[_ ]records?)\b"
_OTHER_TENANTS = r"(?i)\btenant_id\b[\"'`\]]?\s*(?:[=!<>]=|<>|[=<>]|(?:not\s+)?(?:in\s*\(|like\b))"
# Talking about debugging is no wish to be in debug mode.
_DEBUG = (
    r"(?i)\bdebug(?:[ _-]?mode)?\s*[:=]\s*(?:true|1|on|yes|enabled)\b"
    r"|\b(?:enable|enter|activate|(?:turn|switch)\s+on)\s+(?:the\s+)?debug[ _-]?mode\b"
)


def system_rules() -> tuple[TenantRule, ...]:
    """The ten rows, by id, then those about images; they judge every tenant's calls and nobody changes them."""
    return (*_ROWS, *MEDIA_RULES)


def _row(  # noqa: PLR0917 # the columns of the contract's table
    rule_id: str,
    name: str,
    kind: str,
    priority: int,
    description: str,
    asked: tuple[Asked, ...],
    *actions: RuleAction,
) -> TenantRule:
    type_, _, category = kind.partition("/")
    return TenantRule(
        id=rule_id,
        name=name,
        description=description,
        type=type_,
        category=f"dynamic-{category}",
        tier=Tier.SYSTEM,
        priority=priority,
        conditions=tuple(Condition(field=field, operator=operator, value=value) for field, operator, value in asked),
        actions=actions,
    )


def _do(action: str, **config: Any) -> RuleAction:
    return RuleAction(type=action, config=config)


_ROWS = tuple(
    sorted(
        (
            _row(
                "sys_dyn_high_risk_block", "Block High-Risk Queries", "risk_based/risk", 1000,
                "Blocks a call whose risk score is in the critical band.",
                (("risk_score", "greater_than", 0.8),),
                _do("block", message="The risk score of this call is critical"),
            ),
            _row(
                "sys_dyn_anomalous_access", "Anomalous Access Detection", "risk_based/access", 900,
                "Alerts when somebody with an unusual access pattern sends something risky.",
                (("risk_score", "greater_than", 0.6), ("user.access_pattern", "equals", "anomalous")),
                _do("alert", severity="warning", message="Risky call by a user with an unusual access pattern"),
            ),
            _row(
                "sys_dyn_hipaa", "HIPAA Compliance", "compliance/compliance", 950,
                "Masks patients' identifiers in calls about health.",
                (("query", "regex", _HEALTH),),
                _do("redact", fields=["patient_id", "ssn", "medical_record_number"]), _do("log", label="hipaa"),
            ),
            _row(
                "sys_dyn_gdpr", "GDPR Compliance", "compliance/compliance", 950,
                "Masks personal data in calls of users in Europe.",
                (("user.region", "in", ["EU", "EEA", "UK"]),),
                _do("redact", fields=["email", "phone", "address", "ip_address"]), _do("log", label="gdpr"),
            ),
            _row(
                "sys_dyn_financial", "Financial Data Protection", "compliance/compliance", 950,
                "Masks account and card numbers in calls about money.",
                (("query", "regex", _FINANCE),),
                _do("redact", fields=["account_number", "credit_card", "ssn"]), _do("log", label="pci-dss"),
            ),
            _row(
                "sys_dyn_tenant_isolation", "Tenant Isolation", "context_aware/security", 1000,
                "Blocks statements that pick tenants themselves.",
                (("query", "regex", _OTHER_TENANTS),),
                _do("block", message="A statement must not choose its tenant"),
            ),
            _row(
                "sys_dyn_debug_restrict", "Debug Mode Restriction", "context_aware/security", 800,
                "Blocks turning on debug mode outside development.",
                (("query", "regex", _DEBUG), ("environment", "not_equals", "development")),
                _do("block", message="Debug mode is for development only"),
            ),
            _row(
                "sys_dyn_expensive_query", "Expensive Query Limit", "cost/cost", 700,
                "Alerts when one call is estimated to cost more than 100 US dollars.",
                (("cost_estimate", "greater_than", 100),),
                _do("alert", message="A single call is estimated above 100 USD"), _do("log", label="cost"),
            ),
            _row(
                "sys_dyn_llm_cost", "LLM Cost Optimization", "cost/cost", 600,
                "Raises the risk of chats of users who spent more than 1000 US dollars this month.",
                (("request_type", "equals", "llm_chat"), ("user.monthly_llm_usage", "greater_than", 1000)),
                _do("modify_risk", delta=0.2), _do("alert", message="A user spent more than 1000 USD this month"),
            ),
            _row(
                "sys_dyn_sensitive_data", "Sensitive Data Control", "context_aware/security", 900,
                "Masks salaries, social security and medical record numbers where they are asked for.",
                (("query", "regex", _SENSITIVE),),
                _do("redact", fields=["salary", "ssn", "medical_record"]),
            ),
        ),
        key=lambda rule: rule.id,
    )
)  # fmt: skip
