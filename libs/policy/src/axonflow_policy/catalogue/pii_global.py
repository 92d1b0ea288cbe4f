"""Personal data that looks the same in every country (contract, agent section 3.3; actions of rulings section 4)."""

from __future__ import annotations

from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.catalogue.driver_licence import after_label, under_head
from axonflow_policy.catalogue.pii_row import row
from axonflow_policy.catalogue.postal_address import ADDRESS
from axonflow_policy.model import Policy

_CATEGORY = "pii-global"

# What may stand between a label and its value, in prose, JSON, CSV and key=value lines.
SEPARATOR = r"""["']?\s{0,3}(?:number|no\.?|num|#)?\s{0,3}(?:[:=#>-]{1,2}|\bis\b|\bwas\b|\bare\b)?\s{0,3}["']?"""

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE = (
    r"(?:(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d{2}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?:\s+of)?[\s-]{_MONTH},?[\s-](?:19|20)\d{{2}}"
    rf"|{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s(?:19|20)\d{{2}})\b"
)
_PHONE_LABEL = (
    r"(?:phone|telephone|tel|mobile|cell(?:ular)?|handphone|fax|whatsapp|contact|hp|handy|landline|desk"
    r"|call(?:\s(?:me|us|him|her|them))?(?:\s(?:at|on))?|text(?:\s(?:me|us|him|her))?\s(?:at|on)|dial|messages?\sto"
    r"|answering\sat|ring\s(?:me|us)\son|reach(?:\s(?:me|us|him|her))?\s(?:at|on)|registered)"
)

POLICIES: tuple[Policy, ...] = (
    row(
        policy_id="credit_card",
        name="Credit Card Number Detection",
        category=_CATEGORY,
        severity=Severity.CRITICAL,
        priority=100,
        pattern=r"(?:\b|_)([1-6]\d{3}[ -]?\d{2,6}[ -]?\d{3,6}(?:[ -]?\d{1,4}){0,2})(?:\b|_)",
        validator="card_number",
        reason="Credit card number detected",
        description="Visa, Mastercard, Amex, Discover, Diners Club and JCB numbers with a Luhn digit",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
    row(
        policy_id="email",
        name="Email Address Detection",
        category=_CATEGORY,
        severity=Severity.MEDIUM,
        priority=50,
        pattern=r"[A-Za-z0-9_%+-][A-Za-z0-9._%+'-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}\b",
        validator="email_address",
        reason="Email address detected",
        description="local@domain.tld, but not package versions, decorators or ssh remotes",
        action=Action.LOG,
        request=Action.WARN,
    ),
    row(
        policy_id="phone",
        name="Phone Number Detection",
        category=_CATEGORY,
        severity=Severity.MEDIUM,
        priority=50,
        pattern=(
            r"(\+\(?\d[\d ().\-/]{5,20}\d(?:\s?(?:x|ext\.?)\s?\d{1,6})?)"
            r"|(?:^|[^\w.+-])((?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[.-])[2-9]\d{2}[.-]\d{4}"
            r"(?:\s?(?:x|ext\.?)\s?\d{1,6})?)\b"
            rf"|(?i:\b{_PHONE_LABEL}{SEPARATOR})"
            r"(\(?\d[\d ().\-/]{5,18}\d(?:\s?(?:x|ext\.?)\s?\d{1,6})?)"
            r"|\b(0\d{1,4}[ -]\d{3,4}[ -]?\d{3,6}|08[1-9]\d{7,10}|0\d{3}-\d{4}-\d{3,4})\b"
        ),
        validator="phone_number",
        reason="Phone number detected",
        description="International numbers, North American numbers with separators, and local ones after a label",
        action=Action.LOG,
        request=Action.WARN,
    ),
    row(
        policy_id="ip_address",
        name="IP Address Detection",
        category=_CATEGORY,
        severity=Severity.MEDIUM,
        priority=50,
        pattern=r"\b\d{1,3}(?:\.\d{1,3}){3}\b|[0-9A-Fa-f]{0,4}:(?:[0-9A-Fa-f]{0,4}:){1,6}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{1,4})?",
        validator="ip_address",
        reason="IP address detected",
        description="IPv4 and IPv6 addresses of hosts, but not version numbers, loopback or private addresses in code",
        action=Action.LOG,
        request=Action.WARN,
    ),
    row(
        policy_id="passport",
        name="Passport Number Detection",
        category=_CATEGORY,
        severity=Severity.HIGH,
        priority=80,
        pattern=(
            rf"(?i:\b(?:passport|travel\sdocument|reisepass){SEPARATOR}(?:number|no\.?|num|#)?{SEPARATOR})"
            r"([A-Za-z]{1,2}\d{6,9}|\d{8,9}|[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8})\b"
            rf"|{under_head('passport', r'[A-Z]{0,2}[0-9]{6,9}')}"
        ),
        validator="passport",
        reason="Passport number detected",
        description="A document number right after a passport label",
        action=Action.BLOCK,
        request=Action.WARN,
    ),
    row(
        policy_id="dob",
        name="Date of Birth Detection",
        category=_CATEGORY,
        severity=Severity.HIGH,
        priority=60,
        pattern=(
            r"(?i)\b(?:date[\s_-]?of[\s_-]?birth|birth[\s_-]?da(?:te|y)|d\.?o\.?b\b\.?|born(?:\son)?)"
            rf"{SEPARATOR}({_DATE})"
            rf"|{under_head('date of birth|birth ?date|dob', _DATE)}"
        ),
        validator="birth_date",
        reason="Date of birth detected",
        description="A date right after a birth label",
        action=Action.LOG,
        request=Action.WARN,
        risk_weight=0.6,
    ),
    row(
        policy_id="drivers_license",
        name="Driver Licence Detection",
        category=_CATEGORY,
        severity=Severity.HIGH,
        priority=80,
        pattern=after_label(SEPARATOR),
        validator="driver_licence",
        reason="Driver licence number detected",
        description="A licence number of an American state, Great Britain or India after its label or in its column",
        action=Action.BLOCK,
        request=Action.WARN,
    ),
    row(
        policy_id="address",
        name="Postal Address Detection",
        category=_CATEGORY,
        severity=Severity.MEDIUM,
        priority=50,
        pattern=ADDRESS,
        reason="Postal address detected",
        description="House, street and place with a postal code as countries write them, or a street after a label",
        action=Action.LOG,
        request=Action.WARN,
    ),
    row(
        policy_id="booking_ref",
        name="Booking Reference Logging",
        category=_CATEGORY,
        severity=Severity.LOW,
        priority=10,
        pattern=(
            r"(?i:\b(?:booking|reservation|confirmation|pnr|record\slocator)(?:\s(?:ref(?:erence)?|code|number|no\.?|id))?"
            rf"{SEPARATOR})([A-Z0-9]{{6}})\b"
        ),
        validator="booking_reference",
        reason="Booking reference detected",
        description="Six capitals or digits right after a booking label",
        action=Action.LOG,
        request=Action.LOG,
        response=Action.LOG,
    ),
)
