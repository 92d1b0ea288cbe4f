"""Checks for identifiers of India, Singapore and Indonesia: python-stdnum and phonenumbers, the rest as cited."""

from __future__ import annotations

import re

import phonenumbers
from stdnum import luhn
from stdnum.exceptions import ValidationError
from stdnum.id import nik
from stdnum.in_ import aadhaar as aadhaar_number
from stdnum.in_ import gstin, pan
from stdnum.sg import uen

from axonflow_policy.validators.adjacent import one_begins_after
from axonflow_policy.validators.found import Found
from axonflow_policy.validators.neighbours import CONTEXT, digits_of, stands_alone, unclaimed

_NIK_DIGITS = 16
_NPWP_DIGITS = 15
_BUSINESS_LENGTH = 9
_PROVINCES = frozenset(
    {*range(11, 22), *range(31, 37), *range(51, 54), *range(61, 66), *range(71, 77), 81, 82, *range(91, 95)}
)
_LAST_SECTOR = 82
_NRIC_WEIGHTS = (2, 7, 6, 5, 4, 3, 2)
_NRIC_OFFSETS = {"S": 0, "T": 4, "F": 0, "G": 4, "M": 3}
_NRIC_LETTERS = {
    "S": "JZIHGFEDCBA",
    "T": "JZIHGFEDCBA",
    "F": "XWUTRQPNMLK",
    "G": "XWUTRQPNMLK",
    "M": "XWUTRQPNJLK",
}
_COUNTED = re.compile(
    r"\)?\s*(?:people|persons|residents|users|customers|employees|visitors|units|votes|dollars|sgd|usd|items|words|steps)\b",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"\b(?:tel(?:p|epon)?|phone|hp|wa|whatsapp|call|hotline|halo|fax|kode|code|ref(?:erensi)?)\b[^\n]*\Z", re.IGNORECASE
)


def indian_pan(found: Found) -> bool:
    """Five letters of which the fourth is a kind of holder, a number above 0000, a letter (Income Tax Department)."""
    return bool(pan.is_valid(found.value)) and unclaimed(found)


def indian_gstin(found: Found) -> bool:
    """A state, a valid PAN and the check character (GST Network)."""
    return bool(gstin.is_valid(found.value)) and unclaimed(found)


def indian_upi(found: Found) -> bool:
    """A name at a handle (NPCI): no mail address or package goes on behind it, and nothing before it joins it."""
    return re.match(r"[.@/\w-]\w|[@/]", found.after(2)) is None and re.search(r"[@/.:]\Z", found.before(1)) is None


def aadhaar(found: Found) -> bool:
    """Twelve digits with the Verhoeff digit, not starting with 0 or 1 and no palindrome (UIDAI)."""
    return bool(aadhaar_number.is_valid(found.value)) and unclaimed(found)


def singapore_nric(found: Found) -> bool:
    """The check letter of its series: weights 2 7 6 5 4 3 2, offset 4 for T and G and 3 for M, modulo 11.

    Source: contract, agent section 3.3; the authority publishes no algorithm.
    """
    value = found.value.upper()
    series = value[0]
    total = _NRIC_OFFSETS[series]
    total += sum(weight * int(digit) for weight, digit in zip(_NRIC_WEIGHTS, value[1:8], strict=True))
    return value[8] == _NRIC_LETTERS[series][total % 11] and unclaimed(found)


def singapore_uen(found: Found) -> bool:
    """The check letter of its kind of entity (ACRA, unique entity number; the year is not held against a clock)."""
    value = found.value
    if value[0].isalpha():
        expected = uen.calc_other_check_digit(value) if value[3:5] in uen.OTHER_UEN_ENTITY_TYPES else ""
    elif len(value) == _BUSINESS_LENGTH:
        expected = uen.calc_business_check_digit(value)
    else:
        expected = uen.calc_local_company_check_digit(value)
    return value[-1] == expected and unclaimed(found)


def singapore_phone(found: Found) -> bool:
    """A number in use by the plan of Singapore (IMDA; data of libphonenumber)."""
    if not _is_number_of("SG", "+65" + digits_of(found.value)[-8:]):
        return False
    return re.match(r"[ -]?\d", found.after(2)) is None or one_begins_after(found)


def singapore_postal(found: Found) -> bool:
    """The first two digits are a sector from 01 to 82 (contract, agent section 3.3); no count of people or money."""
    if not 0 < int(found.value[:2]) <= _LAST_SECTOR or re.match(r"[.,-]?\d", found.after(2)):
        return False
    return _COUNTED.match(found.after(CONTEXT)) is None


def _is_nik(digits: str) -> bool:
    """Province, a day from 01 to 31 or 41 to 71, a month, a date that exists, a serial above 0000."""
    if len(digits) != _NIK_DIGITS or int(digits[:2]) not in _PROVINCES or digits[12:] == "0000":
        return False
    day = int(digits[6:8])
    if not (1 <= day <= 31 or 41 <= day <= 71):  # a woman's day is raised by 40
        return False
    try:
        nik.get_birth_date(digits)
    except ValidationError:
        return False
    return True


def indonesian_nik(found: Found) -> bool:
    """The structure of an identity number (contract, agent section 3.3; python-stdnum for the date)."""
    return _is_nik(digits_of(found.value)) and unclaimed(found)


def indonesian_npwp(found: Found) -> bool:
    """Nine digits with a Luhn digit and the tax office, or since 2024 an identity number (OECD, Indonesia TIN)."""
    digits = digits_of(found.value)
    if len(digits) != _NPWP_DIGITS and digits[0] != "0":
        return _is_nik(digits)
    core = digits[-_NPWP_DIGITS:]
    return int(core[:9]) > 0 and bool(luhn.is_valid(core[:9])) and unclaimed(found)


def indonesian_phone(found: Found) -> bool:
    """A number in use by the plan of Indonesia (Kominfo; data of libphonenumber)."""
    digits = digits_of(found.value)
    national = digits.removeprefix("62") if digits.startswith("62") else digits.removeprefix("0")
    return _is_number_of("ID", "+62" + national) and unclaimed(found)


def indonesian_account(found: Found) -> bool:
    """Digits behind a bank's name that are not its phone number, all the same or a part of more digits."""
    if len(set(digits_of(found.value))) == 1 or not stands_alone(found):
        return False
    return _CALLED.search(found.before(CONTEXT)) is None


def _is_number_of(region: str, number: str) -> bool:
    try:
        return bool(phonenumbers.is_valid_number_for_region(phonenumbers.parse(number), region))
    except phonenumbers.NumberParseException:
        return False
