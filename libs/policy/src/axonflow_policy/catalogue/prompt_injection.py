"""Rows of ``security-dangerous`` for prompt injection: orders to the model itself (contract, agent section 3.3).

They look for an order whose object is the model's instructions or role; words like "ignore" alone mean nothing.
"""

from __future__ import annotations

from axonflow_contracts.verdicts import Severity

from axonflow_policy.catalogue.dangerous_row import row
from axonflow_policy.catalogue.prompt_exfil import EXFIL
from axonflow_policy.catalogue.prompt_override import OVERRIDE
from axonflow_policy.catalogue.prompt_role import ROLE
from axonflow_policy.model import Phases, Policy

_PRIORITY = 95

_MARKER = (
    r"(?i)<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|start_header_id|end_header_id|eot_id"
    r"|begin_of_text|start_of_turn|end_of_turn|channel)\|>|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>|\[system\](?:\(#\w+\)|:?\s+(?:you\b|ignore|new\b))"
    r"|\n\s*#{2,}\s*system\s*(?:prompt|message|override)?\s*:|<system>\s*\S"
    r"|\[\s*(?:system|admin)\s+(?:override|message|note|prompt|command)\s*\]"
    r"|\bBEGIN\s+(?:SYSTEM|ADMIN)\s+(?:PROMPT|OVERRIDE|MESSAGE)\b|\bEND\s+OF\s+(?:SYSTEM\s+|USER\s+)?(?:PROMPT|INSTRUCTIONS?)\b"
    r"|\bEND\s+OF\s+USER\s+(?:INPUT|QUERY|MESSAGE)\b|</(?:user_input|user_query|system_prompt|untrusted_input)>\s*\S"
)

POLICIES: tuple[Policy, ...] = (
    row(
        "injection_override",
        "Prompt Injection: Instruction Override",
        Severity.HIGH,
        OVERRIDE,
        validator="prompt_override",
        reason="Prompt injection: attempt to override instructions",
        description="An order to drop what the model was told before",
        priority=_PRIORITY,
        phases=Phases.REQUEST,
    ),
    row(
        "injection_role_override",
        "Prompt Injection: Role Reassignment",
        Severity.HIGH,
        ROLE,
        validator="prompt_role",
        reason="Prompt injection: attempt to reassign the role",
        description="An order to become an administrator, an unrestricted model or a known jailbreak persona",
        priority=_PRIORITY,
        phases=Phases.REQUEST,
    ),
    row(
        "injection_system_exfil",
        "Prompt Injection: System Prompt Exfiltration",
        Severity.HIGH,
        EXFIL,
        validator="prompt_demand",
        reason="Prompt injection: attempt to extract the system prompt",
        description="A demand for the model's own instructions",
        priority=_PRIORITY,
        phases=Phases.REQUEST,
    ),
    row(
        "injection_bracket_marker",
        "Prompt Injection: Template/Bracket Marker",
        Severity.HIGH,
        _MARKER,
        validator="prompt_marker",
        reason="Prompt injection: chat template marker",
        description="Delimiters of chat templates and roles inside a text",
        priority=_PRIORITY,
        phases=Phases.REQUEST,
    ),
)
