"""Personal data of India (contract, agent section 3.3; actions of rulings section 4)."""

from __future__ import annotations

from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.catalogue.pii_global import SEPARATOR
from axonflow_policy.catalogue.pii_row import row
from axonflow_policy.model import Policy

_CATEGORY = "pii-india"

POLICIES: tuple[Policy, ...] = (
    row(
        "pan",
        "Indian PAN Detection",
        _CATEGORY,
        r"\b([A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z])\b"
        rf"|(?i:\bpan(?:\s(?:card|number|no\.?|id))?{SEPARATOR}([A-Z]{{3}}[ABCFGHJLPT][A-Z]\d{{4}}[A-Z]))\b",
        "indian_pan",
        severity=Severity.CRITICAL,
        priority=100,
        reason="Indian Permanent Account Number (PAN) detected",
        description="Five letters, the fourth a kind of holder, four digits and a letter",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
    row(
        "aadhaar",
        "Indian Aadhaar Detection",
        _CATEGORY,
        r"\b[2-9]\d{3}(?:\d{8}|[ -]\d{4}[ -]\d{4})\b",
        "aadhaar",
        severity=Severity.CRITICAL,
        priority=100,
        reason="Aadhaar number detected",
        description="Twelve digits, plain or in groups of four, that carry the Verhoeff digit",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
)
