"""The policy engine: catalogue, compiled set, evaluation, redaction. Pure: no I/O, no clock, no framework."""

from axonflow_policy.actions import effective_action
from axonflow_policy.catalogue import CATALOGUE_VERSION, catalogue
from axonflow_policy.model import Content, EffectiveAction, Evaluation, Match, Part, Phases, Policy
from axonflow_policy.overriding import PolicyOverride, overridden_action
from axonflow_policy.policy_set import PolicySet
from axonflow_policy.redaction import redact_content, redact_excerpt, redact_text, redaction_kind
from axonflow_policy.tenant_rules import TenantRules

__all__ = [
    "CATALOGUE_VERSION",
    "Content",
    "EffectiveAction",
    "Evaluation",
    "Match",
    "Part",
    "Phases",
    "Policy",
    "PolicyOverride",
    "PolicySet",
    "TenantRules",
    "catalogue",
    "effective_action",
    "overridden_action",
    "redact_content",
    "redact_excerpt",
    "redact_text",
    "redaction_kind",
]
