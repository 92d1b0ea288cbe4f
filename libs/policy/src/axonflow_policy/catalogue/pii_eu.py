"""Personal data of Europe (contract, agent section 3.3; actions of rulings section 4, which adds identity numbers)."""

from __future__ import annotations

from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.catalogue.eu_identity import BARE, LABELS, NUMBER
from axonflow_policy.catalogue.pii_row import row
from axonflow_policy.model import Policy

_CATEGORY = "pii-eu"

# Countries and how many characters follow their check digits (SWIFT, IBAN Registry, release 101).
_IBAN_LENGTHS = (
    ("NO", 11),
    ("BE", 12),
    ("DK FI FK FO GL NL SD", 14),
    ("MK SI", 15),
    ("AT BA EE KZ LT LU MN XK", 16),
    ("CH HR LI LV", 17),
    ("BG BH CR DE GB GE IE ME RS VA", 18),
    ("AE GI IL IQ OM SO TL", 19),
    ("AD CZ ES MD PK RO SA SE SK TN VG", 20),
    ("LY PT ST", 21),
    ("IS TR", 22),
    ("BI DJ FR GR IT MC MR SM", 23),
    ("AL AZ BY CY DO GT HN HU LB NI PL SV", 24),
    ("BR EG PS QA UA", 25),
    ("JO KW MU YE", 26),
    ("MT SC", 27),
    ("LC", 28),
    ("RU", 29),
)


def _in_groups(countries: str, length: int) -> str:
    """A country's numbers as they are printed: in groups of four, the last one shorter."""
    groups, rest = divmod(length, 4)
    tail = f"[ -][A-Z0-9]{{{rest}}}" if rest else ""
    return rf"(?:{countries.replace(' ', '|')})\d{{2}}(?:[ -][A-Z0-9]{{4}}){{{groups}}}{tail}"


_PRINTED = "|".join(_in_groups(countries, length) for countries, length in _IBAN_LENGTHS)

POLICIES: tuple[Policy, ...] = (
    row(
        "iban",
        "IBAN Detection",
        _CATEGORY,
        rf"\b(?:[A-Za-z]{{2}}\d{{2}}[A-Za-z0-9]{{11,29}}|{_PRINTED})\b",
        "iban",
        severity=Severity.CRITICAL,
        priority=100,
        reason="International Bank Account Number detected",
        description="Account numbers of the IBAN registry, of their country's length and with the checksum modulo 97",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
    row(
        "eu_national_id",
        "European National ID Detection",
        _CATEGORY,
        rf"{LABELS}[^0-9]{{0,50}}({NUMBER})\b|\b({BARE})\b",
        "european_identity",
        severity=Severity.CRITICAL,
        priority=100,
        reason="European national identity number detected",
        description="Identity, tax and insurance numbers by their country's check digit, mostly after a label",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
)
