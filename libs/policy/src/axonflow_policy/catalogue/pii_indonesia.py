"""Personal data of Indonesia (contract, agent section 3.3; actions of rulings section 4)."""

from __future__ import annotations

from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.catalogue.pii_global import SEPARATOR
from axonflow_policy.catalogue.pii_row import row
from axonflow_policy.model import Policy

_CATEGORY = "pii-indonesia"

# Province, town, district; day (a woman's is raised by 40), month, year; serial.
_NIK = (
    r"(?:1[1-9]|21|3[1-6]|5[1-3]|6[1-5]|7[1-6]|8[12]|9[1-4])\d{4}"
    r"(?:0[1-9]|[12]\d|3[01]|4[1-9]|[56]\d|7[01])(?:0[1-9]|1[0-2])\d{6}"
)
_TAX_LABEL = r"(?:npwp(?:16)?|nomor\spokok\swajib\spajak|tax\s?(?:payer)?\s?(?:id(?:entification)?|number)|nitku)"


def _bank(short: str, digits: int) -> Policy:
    """A row for the account numbers of one bank, which have no checksum and therefore need the bank's name."""
    return row(
        f"indonesia_{short.lower()}",
        f"Indonesian {short} Bank Account Detection",
        _CATEGORY,
        rf"(?i:\b(?:bank\s)?{short}\b[^\d\n]{{0,40}})(\d(?:[ .-]?\d){{{digits - 1}}})\b",
        "indonesian_account",
        severity=Severity.HIGH,
        priority=90,
        reason=f"{short} bank account number detected",
        description=f"{digits} digits after the name of the bank",
        action=Action.REDACT,
        request=Action.WARN,
    )


POLICIES: tuple[Policy, ...] = (
    row(
        "indonesia_nik",
        "Indonesian NIK Detection",
        _CATEGORY,
        rf"\b{_NIK}\b",
        "indonesian_nik",
        severity=Severity.CRITICAL,
        priority=100,
        reason="Indonesian identity number (NIK) detected",
        description="Sixteen digits of a province, a date of birth and a serial number",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
    row(
        "indonesia_npwp_legacy",
        "Indonesian NPWP Legacy Detection",
        _CATEGORY,
        r"\b(\d{2}\.\d{3}\.\d{3}\.\d-\d{3}\.\d{3})\b"
        rf"|(?i:\b{_TAX_LABEL}{SEPARATOR})(\d{{15}})\b|\b(0\d{{14}})\b",
        "indonesian_npwp",
        severity=Severity.CRITICAL,
        priority=100,
        reason="Indonesian taxpayer number (NPWP) detected",
        description="Fifteen digits with their punctuation, after a label, or with the leading zero; checked by Luhn",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
    row(
        "indonesia_npwp_new",
        "Indonesian NPWP New Format Detection",
        _CATEGORY,
        rf"(?i:\b{_TAX_LABEL}(?:\s(?:baru|number|no\.?))?{SEPARATOR})(\d{{16}}|\d{{4}} \d{{4}} \d{{4}} \d{{4}})\b",
        "indonesian_npwp",
        severity=Severity.CRITICAL,
        priority=100,
        reason="Indonesian taxpayer number (NPWP) detected",
        description="Sixteen digits after a label: an identity number, or a zero and an older taxpayer number",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
    row(
        "indonesia_phone",
        "Indonesian Phone Detection",
        _CATEGORY,
        r"(?:\+62[ .-]?|\b62|\b0)8[1-9](?:[ .-]?\d){7,11}\b",
        "indonesian_phone",
        severity=Severity.MEDIUM,
        priority=70,
        reason="Indonesian phone number detected",
        description="Mobile numbers with the country code or the leading zero",
        action=Action.REDACT,
        request=Action.WARN,
    ),
    _bank("BCA", 10),
    _bank("Mandiri", 13),
    _bank("BRI", 15),
    _bank("BNI", 10),
    row(
        "indonesia_ktp",
        "Indonesian KTP Detection",
        _CATEGORY,
        r"(?i:\b(?:(?:e-?)?ktp|kartu\standa\spenduduk)\b[^\d\n]{0,30})(\d(?:[ .-]?\d){15})\b",
        "indonesian_nik",
        severity=Severity.CRITICAL,
        priority=100,
        reason="Indonesian identity card number (KTP) detected",
        description="Sixteen digits, with separators, after a label of the identity card",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
)
