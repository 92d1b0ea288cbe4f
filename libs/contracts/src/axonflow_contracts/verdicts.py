"""The vocabulary of decisions, and the words that each surface uses for them.

Stored rows use one vocabulary (`Verdict`); the words that older clients expect are looked up in `WIRE_WORDS`
and nowhere else.
"""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What a policy asks for when it matches, as stored and as shown by the policy API."""

    BLOCK = "block"
    REQUIRE_APPROVAL = "require_approval"
    REDACT = "redact"
    WARN = "warn"
    LOG = "log"

    @property
    def strength(self) -> int:
        """Rank from 1 (log) to 5 (block); the strongest matching action decides."""
        return _STRENGTH[self]


_STRENGTH = {Action.BLOCK: 5, Action.REQUIRE_APPROVAL: 4, Action.REDACT: 3, Action.WARN: 2, Action.LOG: 1}


class Severity(StrEnum):
    """How bad a match is, for people and for risk bands; it does not decide."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Phase(StrEnum):
    """Which side of a call is judged."""

    REQUEST = "request"
    RESPONSE = "response"


class Tier(StrEnum):
    """Who owns a policy."""

    SYSTEM = "system"
    ORGANIZATION = "organization"
    TENANT = "tenant"


class Plane(StrEnum):
    """The way in that a governed call took; stored in ``audit_logs.plane``."""

    OPENAI = "openai_compat"
    PROXY = "llm"
    GATEWAY = "gateway"
    DECISION = "decision"
    MCP = "mcp"
    AGENT = "agent"


class Verdict(StrEnum):
    """The outcome of a governed call, as stored."""

    ALLOWED = "allowed"
    BLOCKED = "blocked"
    REDACTED = "redacted"
    NEEDS_APPROVAL = "needs_approval"
    ERROR = "error"


class Wire(StrEnum):
    """A surface with verdict words of its own."""

    LLM_CALL_AUDIT = "llm_call_audit"
    DECIDE = "decide"
    AUDIT_ENTRY = "audit_entry"
    DECISION_LIST = "decision_list"


# A redaction on these surfaces lets the call go on: the obligation is told beside the verdict.
WIRE_WORDS: dict[Wire, dict[Verdict, str]] = {
    Wire.LLM_CALL_AUDIT: {
        Verdict.ALLOWED: "allow",
        Verdict.BLOCKED: "deny",
        Verdict.REDACTED: "allow",
        Verdict.NEEDS_APPROVAL: "deny",
        Verdict.ERROR: "error",
    },
    Wire.DECIDE: {
        Verdict.ALLOWED: "allow",
        Verdict.BLOCKED: "deny",
        Verdict.REDACTED: "allow",
        Verdict.NEEDS_APPROVAL: "needs_approval",
        Verdict.ERROR: "deny",
    },
    Wire.AUDIT_ENTRY: {
        Verdict.ALLOWED: "allow",
        Verdict.BLOCKED: "deny",
        Verdict.REDACTED: "redact",
        Verdict.NEEDS_APPROVAL: "require_approval",
        Verdict.ERROR: "error",
    },
    Wire.DECISION_LIST: {
        Verdict.ALLOWED: "allow",
        Verdict.BLOCKED: "deny",
        Verdict.REDACTED: "allow",
        Verdict.NEEDS_APPROVAL: "require_approval",
        Verdict.ERROR: "deny",
    },
}

# Spellings of other versions and surfaces that a filter understands besides both vocabularies.
_ALIASES = {"block": "deny"}


def verdicts_named(word: str, wire: Wire) -> tuple[Verdict, ...]:
    """The stored verdicts that ``word`` asks for on a surface, in its own words or in the stored ones.

    A stored word means itself alone; the empty tuple means that nobody knows the word.
    """
    if word in {verdict.value for verdict in Verdict}:
        return (Verdict(word),)
    spelled = _ALIASES.get(word, word)
    return tuple(verdict for verdict, told in WIRE_WORDS[wire].items() if told == spelled)
