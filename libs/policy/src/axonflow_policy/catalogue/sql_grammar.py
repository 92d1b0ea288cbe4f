"""Pieces of SQL that the rows of `security_sqli` and `sql_statements` are put together from, and how a row is made."""

from __future__ import annotations

from axonflow_contracts.posture import Lever
from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.model import Policy

CATEGORY = "security-sqli"
_PRIORITY = {Severity.CRITICAL: 100, Severity.HIGH: 90, Severity.MEDIUM: 70}
_RISK = {Severity.CRITICAL: 0.9, Severity.HIGH: 0.8, Severity.MEDIUM: 0.5}

# What separates two words of SQL: spaces, inline comments, a plus from a query string.
SPACE = r"(?:\s|\+|/\*[^*]*\*/)"
# The same after a semicolon, bounded: Vectorscan 5.4 misses `;` before an unbounded class that holds `;` itself.
STACK = r"(?:\s|\+|/\*[^*]{0,80}\*/){0,6}"
GAP = r"(?:[\s+(]|%20|/\*[^*]*\*/|--[^\n]*\n|#[^\n]*\n)+"
QUOTE = r"['\"`]"
COMPARE = r"(?:=|<>|!=|<|>|\blike\b)"
# A name, quoted or not, with its schema; MySQL accounts; placeholders of templates.
NAME = (
    r"(?:[\"'`\[]?[\w$.%{}<>#-]+[\"'`\]]?"
    r"(?:\s*(?:\.|@|::)\s*[\"'`\[]?[\w$%.*-]+[\"'`\]]?){0,3})"
)
IF_EXISTS = r"(?:if\s+(?:not\s+)?exists\s+)?(?:only\s+)?"


def row(
    policy_id: str,
    name: str,
    severity: Severity,
    pattern: str,
    *,
    validator: str | None,
    reason: str,
    description: str,
    lever: Lever = Lever.SQLI,
) -> Policy:
    """A row of ``security-sqli``: block on both sides, case does not matter."""
    return Policy(
        id=f"sys_sqli_{policy_id}",
        name=name,
        category=CATEGORY,
        severity=severity,
        priority=_PRIORITY[severity],
        pattern=f"(?i){pattern}",
        validator=validator,
        reason=reason,
        description=description,
        action=Action.BLOCK,
        action_request=Action.BLOCK,
        action_response=Action.BLOCK,
        lever=lever,
        risk_weight=_RISK[severity],
    )
