"""The policy engine: catalogue, compiled set, evaluation, redaction. Pure: no I/O, no clock, no framework."""

from axonflow_policy.actions import effective_action
from axonflow_policy.catalogue import CATALOGUE_VERSION, catalogue
from axonflow_policy.conditions import Condition, InvalidCondition, compile_condition
from axonflow_policy.conflicts import find_conflicts
from axonflow_policy.dynamic import Outcome, RuleEvaluation, RuleSet, outcome
from axonflow_policy.facts import Facts, StepFacts, UserFacts
from axonflow_policy.lint import lint_alone, lint_one
from axonflow_policy.lint_rules import lint_rule, lint_rules
from axonflow_policy.model import Content, EffectiveAction, Evaluation, Match, Part, Phases, Policy
from axonflow_policy.overriding import PolicyOverride, overridden_action
from axonflow_policy.placeholders import Placeholders, redact_reversibly
from axonflow_policy.policy_set import PolicySet
from axonflow_policy.redaction import redact_content, redact_excerpt, redact_text, redaction_kind
from axonflow_policy.risk import risk_score
from axonflow_policy.rules import InvalidRule, RuleAction, TenantRule, compile_rule
from axonflow_policy.simulation import simulate
from axonflow_policy.tenant_rules import TenantRules

__all__ = [
    "CATALOGUE_VERSION",
    "Condition",
    "Content",
    "EffectiveAction",
    "Evaluation",
    "Facts",
    "InvalidCondition",
    "InvalidRule",
    "Match",
    "Outcome",
    "Part",
    "Phases",
    "Placeholders",
    "Policy",
    "PolicyOverride",
    "PolicySet",
    "RuleAction",
    "RuleEvaluation",
    "RuleSet",
    "StepFacts",
    "TenantRule",
    "TenantRules",
    "UserFacts",
    "catalogue",
    "compile_condition",
    "compile_rule",
    "effective_action",
    "find_conflicts",
    "lint_alone",
    "lint_one",
    "lint_rule",
    "lint_rules",
    "outcome",
    "overridden_action",
    "redact_content",
    "redact_excerpt",
    "redact_reversibly",
    "redact_text",
    "redaction_kind",
    "risk_score",
    "simulate",
]
