"""Personal data of Singapore (contract, agent section 3.3; actions of rulings section 4)."""

from __future__ import annotations

from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.catalogue.pii_global import SEPARATOR
from axonflow_policy.catalogue.pii_row import row
from axonflow_policy.model import Policy

_CATEGORY = "pii-singapore"

POLICIES: tuple[Policy, ...] = (
    row(
        "singapore_nric",
        "Singapore NRIC Detection",
        _CATEGORY,
        r"\b([STFGM]\d{7}[A-Z])\b"
        rf"|(?i:\b(?:nric|identity\scard|ic)(?:/fin)?(?:\s(?:number|no\.?))?{SEPARATOR}([STFGM]\d{{7}}[A-Z]))\b",
        "singapore_nric",
        severity=Severity.CRITICAL,
        priority=100,
        reason="Singapore NRIC number detected",
        description="Identity card numbers of all series with their check letter",
        action=Action.REDACT,
        request=Action.BLOCK,
    ),
    row(
        "singapore_fin",
        "Singapore FIN Detection",
        _CATEGORY,
        r"\b([FGM]\d{7}[A-Z])\b"
        rf"|(?i:\b(?:fin|foreign\sidentification)(?:\s(?:number|no\.?))?{SEPARATOR}([FGM]\d{{7}}[A-Z]))\b",
        "singapore_nric",
        severity=Severity.CRITICAL,
        priority=100,
        reason="Singapore Foreign Identification Number (FIN) detected",
        description="The series of foreigners, reported apart",
        action=Action.REDACT,
        request=Action.BLOCK,
    ),
    row(
        "singapore_uen",
        "Singapore UEN Detection",
        _CATEGORY,
        r"\b(?:\d{8}[A-Z]|(?:18|19|20)\d{7}[A-Z]|[RST]\d{2}[A-Z]{2}\d{4}[A-Z])\b",
        "singapore_uen",
        severity=Severity.HIGH,
        priority=90,
        reason="Singapore Unique Entity Number (UEN) detected",
        description="Numbers of businesses, companies and other entities with their check letter",
        action=Action.REDACT,
        request=Action.WARN,
    ),
    row(
        "singapore_phone",
        "Singapore Phone Detection",
        _CATEGORY,
        r"(?:\+65|\b0065)[ -]?[689]\d{3}[ -]?\d{4}\b",
        "singapore_phone",
        severity=Severity.MEDIUM,
        priority=70,
        reason="Singapore phone number detected",
        description="Eight digits that start with 6, 8 or 9 after the country code",
        action=Action.REDACT,
        request=Action.WARN,
    ),
    row(
        "singapore_postal",
        "Singapore Postal Code Detection",
        _CATEGORY,
        rf"(?i:\b(?:singapore(?:\s(?:postal|post|zip)\s?code)?|(?:postal|post)\s?code){SEPARATOR}|\bs\s?)\(?(\d{{6}})\b",
        "singapore_postal",
        severity=Severity.LOW,
        priority=30,
        reason="Singapore postal code detected",
        description="Six digits of an existing sector after a label",
        action=Action.WARN,
        request=Action.LOG,
        response=Action.LOG,
    ),
)
