"""Personal data of India (contract, agent section 3.3; actions of rulings section 4, which adds GSTIN and UPI)."""

from __future__ import annotations

from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.catalogue.pii_global import SEPARATOR
from axonflow_policy.catalogue.pii_row import row
from axonflow_policy.model import Policy

_CATEGORY = "pii-india"

# Handles that banks and payment apps were given (NPCI, list of UPI apps).
_UPI_HANDLES = (
    r"upi|paytm|pt(?:axis|hdfc|sbi|yes)|[iay]bl|y?apl|axl|ok(?:axis|hdfcbank|icici|sbi)|wa(?:axis|hdfcbank|icici|sbi)"
    r"|sbi|icici|hdfcbank|axisbank|kotak|kmbl|barodampay|cnrb|idfc(?:bank|first)|federal|fbl|freecharge|jupiteraxis|fam"
    r"|slice|pnb|boi|unionbank(?:ofindia)?|uboi|rbl|indus|postbank|airtel|jio|mahb|tapicici|ikwik|pingpay|yesbank|dbs"
)

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
    row(
        "gstin",
        "Indian GSTIN Detection",
        _CATEGORY,
        r"\b\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[A-Z0-9]\b",
        "indian_gstin",
        severity=Severity.CRITICAL,
        priority=100,
        reason="Indian GST identification number detected",
        description="A state, a PAN, a count and a check character",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
    row(
        "upi",
        "Indian UPI ID Detection",
        _CATEGORY,
        rf"(?i)\b[a-z0-9][a-z0-9._-]{{1,60}}@(?:{_UPI_HANDLES})\b",
        "indian_upi",
        severity=Severity.CRITICAL,
        priority=100,
        reason="Indian UPI payment address detected",
        description="A name at a handle of a payment provider, which is no domain",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
)
