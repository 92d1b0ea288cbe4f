"""The ten dynamic rows of the contract (agent section 3.3) can be said in the language, and say what they mean."""

from __future__ import annotations

import pytest
from axonflow_contracts.verdicts import Phase
from axonflow_policy import lint_rules
from axonflow_policy.dynamic import RuleSet
from axonflow_policy.facts import Facts, UserFacts
from axonflow_policy.rules import RuleAction
from support.rules import rule

COSTLY = (RuleAction(type="modify_risk", config={"delta": 0.2}), RuleAction(type="alert"))
ROWS = [
    rule("sys_dyn_high_risk_block", ("risk_score", ">", 0.8), priority=1000),
    rule(
        "sys_dyn_anomalous_access",
        ("risk_score", ">", 0.6),
        ("user.access_pattern", "equals", "anomalous"),
        action="alert",
    ),
    rule("sys_dyn_hipaa", ("query", "contains_any", ["patient", "diagnosis", "medical_record"]), action="redact"),
    rule("sys_dyn_gdpr", ("user.region", "in", ["EU", "EEA", "UK"]), action="redact"),
    rule("sys_dyn_financial", ("query", "contains_any", ["account_balance", "credit_score"]), action="redact"),
    rule("sys_dyn_tenant_isolation", ("query", "regex", r"(?i)\btenant_id\s*(?:=|!=|<>)")),
    rule("sys_dyn_debug_restrict", ("query", "contains", "debug"), ("environment", "!=", "development")),
    rule("sys_dyn_expensive_query", ("cost_estimate", ">", 100), action="alert"),
    rule(
        "sys_dyn_llm_cost",
        ("request_type", "equals", "llm_chat"),
        ("user.monthly_llm_usage", ">", 1000),
        actions=COSTLY,
    ),
    rule("sys_dyn_sensitive_data", ("query", "contains_any", ["salary", "ssn", "medical_record"]), action="redact"),
]


def test_the_ten_rows_are_sound_together() -> None:
    assert lint_rules(ROWS) == ()


@pytest.mark.parametrize(
    ("facts", "matched"),
    [
        (Facts(query="hello", environment="production", risk_score=0.8), set()),
        (Facts(query="hello", risk_score=0.81), {"sys_dyn_high_risk_block"}),
        (Facts(risk_score=0.7, user=UserFacts(access_pattern="Anomalous")), {"sys_dyn_anomalous_access"}),
        (Facts(query="the patient's MEDICAL_RECORD"), {"sys_dyn_hipaa", "sys_dyn_sensitive_data"}),
        (Facts(query="hello", user=UserFacts(region="eea")), {"sys_dyn_gdpr"}),
        (Facts(query="my credit_score"), {"sys_dyn_financial"}),
        (Facts(query="where tenant_id <> 7"), {"sys_dyn_tenant_isolation"}),
        (Facts(query="what is a tenant_id?"), set()),
        (Facts(query="debug it", environment="development"), set()),
        (Facts(query="debug it"), {"sys_dyn_debug_restrict"}),
        (Facts(cost_estimate=100.01), {"sys_dyn_expensive_query"}),
        (
            Facts(request_type="llm_chat", user=UserFacts(monthly_llm_usage=1001), risk_score=0.7),
            {"sys_dyn_llm_cost", "sys_dyn_high_risk_block"},
        ),
    ],
)
def test_each_row_finds_what_it_names_and_no_more(facts: Facts, matched: set[str]) -> None:
    found = RuleSet.compile(ROWS).evaluate(facts, Phase.REQUEST)
    assert {match.policy_id for match in found.matches} == matched
