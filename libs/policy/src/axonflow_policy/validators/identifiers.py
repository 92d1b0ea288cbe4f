"""Checks for identifiers of people: checksums from python-stdnum, phone plans from phonenumbers, the rest as cited."""

from __future__ import annotations

import ipaddress
import re

import phonenumbers
from stdnum import luhn
from stdnum.us import rtn

from axonflow_policy.validators.found import Found

# Contract, agent section 3.3: matches are judged with 50 characters of context.
_CONTEXT = 50
_SSN_DIGITS = 9
_ROUTING_DIGITS = 9
_PHONE_DIGITS = range(7, 16)
_IPV4 = 4
_CARD_DIGITS = range(13, 20)
_EAN_DIGITS = 13

_CARD_LABEL = re.compile(r"\bcards?\b|\bvisa\b|mastercard|maestro|amex|\bcc\b", re.IGNORECASE)
_OTHER_NUMBER = re.compile(
    r"\b(?:order|phone|tel|fax|account|acct|ticket|case|invoice|part|tracking|drawing|locker|serial|sku|ref(?:erence)?"
    r"|batch|version)\b[\s.:#]*(?:code|number|no\.?|num|id)?[\s.:#=]*\Z",
    re.IGNORECASE,
)
_SSN_LABEL = re.compile(r"\bssn\b|social|tax\s?payer", re.IGNORECASE)
_LOCATOR_LABEL = re.compile(r"(?:ref(?:erence)?|code|number|pnr|locator)\W{0,4}(?:is)?\W{0,4}\Z", re.IGNORECASE)
_NOT_A_PHONE = re.compile(
    r"\b(?:zip|postal|amount|price|total|id|isbn|issn|ean|upc|imei|sku|order|invoice|tracking|version|serial|part"
    r"|offset|rows?|block|height|created_at|timestamp|nonce|page|pages|section|chapter|iso|rfc|nist|sp)"
    r"[\s.:#=\"']*(?:number|no\.?|code)?[\s.:#=\"']*\Z",
    re.IGNORECASE,
)
_VERSION_BEFORE = re.compile(
    r"(?:\bv(?:er(?:sion)?)?\.?\s?|\b(?:version|firmware|build|release|driver|revision|rev|chrome|firefox|safari"
    r"|edge|kernel|package|upgrade to|section|chapter|oid)[\s:/v=-]*|[\w.+-]/|==|>=|<=|~=|\d\.|[\w-]-)\Z",
    re.IGNORECASE,
)
_IP_LABEL = re.compile(
    r"(?:client|user|customer|visitor|my|his|her|their|source|src|remote|login|origin)[\s_-]?ip(?:[\s_-]?addr(?:ess)?)?"
    r"[\"']?\s{0,2}(?:[:=]|is|was)?\s{0,2}[\"']?\Z",
    re.IGNORECASE,
)
# What follows the last dot of an image, source file or package tag, and is no top-level domain people write to.
_NOT_A_TLD = re.compile(
    r"(?:png|jpe?g|gif|svg|webp|ico|css|m?js|tsx?|jsx|py|rb|rs|java|[ch]|cpp|md|txt|json|ya?ml|toml|xml|html|lock|log|sh"
    r"|tar|gz|local|latest|min)",
    re.IGNORECASE,
)


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _repeats(digits: str) -> bool:
    return len(set(digits)) == 1


def has_digit(found: Found) -> bool:
    """Any digit at all, for labelled document numbers."""
    return any(character.isdigit() for character in found.value)


def booking_reference(found: Found) -> bool:
    """Six capitals or digits: a digit among them, or a label that announces a code, not merely a capitalised word."""
    return has_digit(found) or _LOCATOR_LABEL.search(found.before(_CONTEXT)) is not None


def card_number(found: Found) -> bool:
    """Length and prefix of a card network, and the Luhn digit (ISO/IEC 7812-1; prefixes as the networks publish)."""
    if re.search(r"(?:[^\W_]|\.|\d-)\Z", found.before(2)) or re.match(r"-?\d|\.\d", found.after(2)):
        return False
    digits = _digits(found.value)
    if _repeats(digits) or len(digits) not in _CARD_DIGITS or not luhn.is_valid(digits):
        return False
    if len(digits) in _card_lengths(digits) and len(digits) != _EAN_DIGITS:
        return True
    # Other issuers, and thirteen digits that may be an EAN-13, ask for a word for cards.
    return digits[0] in "123456" and _CARD_LABEL.search(found.before(_CONTEXT)) is not None


def _card_lengths(digits: str) -> tuple[int, ...]:
    two, three, four = int(digits[:2]), int(digits[:3]), int(digits[:4])
    if digits[0] == "4":
        return (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:  # Mastercard
        return (16,)
    if two in {34, 37}:  # American Express
        return (15,)
    if 300 <= three <= 305 or four == 3095 or two in {36, 38, 39}:  # Diners Club
        return (14, 15, 16, 17, 18, 19)
    if four == 6011 or 644 <= three <= 649 or two == 65 or 3528 <= four <= 3589:  # Discover, JCB
        return (16, 17, 18, 19)
    return ()


def email_address(found: Found) -> bool:
    """A mailbox at a domain (RFC 5321), not a file name, an ssh remote (``git@host:path``) or the user of a URL."""
    value = found.value
    local, _, domain = value.rpartition("@")
    if ".." in value or domain.startswith("-") or _NOT_A_TLD.fullmatch(domain.rsplit(".", 1)[-1]):
        return False
    if local == "git" or re.match(r":[\w~/.]", found.after(2)):
        return False
    return re.search(r"://[^\s/]*:?\Z", found.before(_CONTEXT)) is None


def phone_number(found: Found) -> bool:
    """Possible in its country's plan (ITU-T E.164, data of libphonenumber), and not labelled as another number."""
    value = found.value
    digits = _digits(re.split(r"x|ext", value.lower())[0])
    if _NOT_A_PHONE.search(found.before(_CONTEXT)) or _repeats(digits) or len(digits) not in _PHONE_DIGITS:
        return False
    if re.match(r"[\w-]*\d", found.after(2)) or re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return False
    if value[0] == "0" and re.search(r"[A-Z0-9]{4} \Z", found.before(5)):  # a group of an account number
        return False
    if value.startswith("+"):
        try:
            return bool(phonenumbers.is_possible_number(phonenumbers.parse(value)))
        except phonenumbers.NumberParseException:
            return False
    return re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}", value) is None


def ip_address(found: Found) -> bool:
    """A parseable address (RFC 791, RFC 4291) that tells of a host: loopback never, private ones only after a label."""
    before, after = found.before(_CONTEXT), found.after(3)
    if re.search(r"[\w.:]\Z", before) or re.match(r"\.?[A-Za-z_]|\.\d|::|:[A-Za-z]", after):
        return False
    try:
        address = ipaddress.ip_address(found.value)
    except ValueError:
        return False
    if address.is_loopback or address.is_unspecified:
        return False
    if address.version != _IPV4:
        return True
    if _VERSION_BEFORE.search(before):
        return False
    return not address.is_private or _IP_LABEL.search(before) is not None


def us_ssn(found: Found) -> bool:
    """Area not 000, 666 or 900 to 999, group not 00, serial not 0000 (SSA, Program Operations Manual RM 10201.035)."""
    digits = _digits(found.value)
    if len(digits) != _SSN_DIGITS or digits[:3] in {"000", "666"} or digits[0] == "9":
        return False
    if digits[3:5] == "00" or digits[5:] == "0000":
        return False
    if re.search(r"(?:[^\W_]|[.-])\Z", found.before(1)) or re.match(r"-?[^\W_]|\.\d", found.after(2)):
        return False
    before = found.before(_CONTEXT)
    return _SSN_LABEL.search(before) is not None or _OTHER_NUMBER.search(before) is None


def us_bank_account(found: Found) -> bool:
    """The first nine digits carry the ABA checksum (weights 3-7-1, modulo 10)."""
    return bool(rtn.is_valid(_digits(found.value)[:_ROUTING_DIGITS]))
