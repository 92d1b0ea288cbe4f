"""The words and marks that pages use for the vocabulary of policies. Presentation only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from axonflow_contracts.policies import StaticPolicy
from axonflow_contracts.verdicts import Action, Severity, Tier

from axonflow_portal.listing import NOT_JUDGED

CATEGORY_NAMES = {
    "security-sqli": "SQL injection",
    "security-dangerous": "Dangerous commands",
    "security-admin": "Administration tables",
    "pii-global": "Personal data",
    "pii-us": "Personal data, US",
    "pii-eu": "Personal data, EU",
    "pii-india": "Personal data, India",
    "pii-singapore": "Personal data, Singapore",
    "pii-indonesia": "Personal data, Indonesia",
    "sensitive-data": "Sensitive data",
    "code-secrets": "Secrets in code",
    "code-unsafe": "Unsafe code",
    "code-compliance": "Code compliance",
    "custom": "Custom",
    "compliance-rbi": "Compliance, RBI",
    "compliance-sebi": "Compliance, SEBI",
    "compliance-euaiact": "Compliance, EU AI Act",
    "compliance-masfeat": "Compliance, MAS FEAT",
    "media-safety": "Media, safety",
    "media-biometric": "Media, biometrics",
    "media-document": "Media, documents",
    "media-pii": "Media, personal data",
}

ACTION_NAMES: dict[str, str] = {
    Action.BLOCK: "Block",
    Action.REQUIRE_APPROVAL: "Ask a person",
    Action.REDACT: "Redact",
    Action.WARN: "Warn",
    Action.LOG: "Log",
    NOT_JUDGED: "Not judged",
}

ACTION_MEANINGS: dict[str, str] = {
    Action.BLOCK: "the call is refused",
    Action.REQUIRE_APPROVAL: "the call waits for a person",
    Action.REDACT: "the matched text is masked",
    Action.WARN: "the call goes on and is marked",
    Action.LOG: "the call goes on and is recorded",
    NOT_JUDGED: "this policy leaves this side alone",
}

SEVERITY_NAMES = {
    Severity.CRITICAL: "Critical",
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
}

TIER_NAMES = {Tier.SYSTEM: "System", Tier.ORGANIZATION: "Organization", Tier.TENANT: "Tenant"}


def category_name(category: str) -> str:
    """The category for people; a word this page does not know stands for itself."""
    return CATEGORY_NAMES.get(category, category)


def origin_phrase(origin: str) -> str:
    """Where an effective action came from; a moved one names its variable."""
    kind, _, detail = origin.partition(":")
    if kind == "env":
        return f"set by {detail}"
    if kind == "profile":
        return f"set by AXONFLOW_PROFILE={detail}"
    if kind == "enforce":
        return f"set by AXONFLOW_ENFORCE={detail}"
    if kind == "override":
        return f"set by override {detail}"
    return "as the policy stores it"


def sentence(phrase: str) -> str:
    """A phrase as a sentence; words that are names keep their case."""
    return f"{phrase[:1].upper()}{phrase[1:]}."


def is_moved(origin: str) -> bool:
    """Whether the operator, not the policy, chose the action."""
    return origin not in {"", "stored"}


def day(moment: datetime) -> str:
    """A short UTC date such as ``4 Mar 2026``."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y}"


def instant(moment: datetime) -> str:
    """A full UTC time such as ``4 Mar 2026, 09:12:40 UTC``."""
    return f"{day(moment)}, {moment.astimezone(UTC):%H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class Side:
    """What a policy does on one side of a call."""

    title: str
    action: str
    origin: str


def sides(policy: StaticPolicy) -> tuple[Side, Side]:
    """Request and response."""
    known = policy.metadata
    return (
        Side("On a request", known.action_request or NOT_JUDGED, known.action_request_origin),
        Side("On a response", known.action_response or NOT_JUDGED, known.action_response_origin),
    )
