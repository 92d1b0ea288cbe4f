"""Checks for documents of people: forms of driving licences, and columns of tables."""

from __future__ import annotations

import re

from axonflow_policy.validators.found import Found
from axonflow_policy.validators.neighbours import stands_alone

_WINDOW = 700
# Driving licences of the American states, without their separators (AAMVA, DL/ID Card Design Standard, annex forms).
_STATE_FORM = re.compile(
    r"\d{7,10}|\d{12}|\d{14}|[A-Z]\d{5,9}|[A-Z]\d{11,14}|[A-Z]{2}\d{5,7}|\d{2}[A-Z]{3}\d{5,6}|\d{9}[A-Z]|[A-Z]\d{3}[A-Z]\d{6,7}"
    r"|[A-Z]{3}\d{6}|[A-Z]{3}[A-Z0-9]{9}|\d{3}[A-Z]{2}\d{4}|[A-Z]\d{2}[A-Z0-9]{6,9}|\d{8}[A-Z]{2}"
)
_BRITISH = re.compile(r"[A-Z]+9*\d[0156]\d(?:0[1-9]|[12]\d|3[01])\d[A-Z9]{2}[A-Z0-9][A-Z]{2}")
_LICENCE_LABEL = re.compile(r"driv|DVLA|\bDL\b|hrerschein|conduire|conduc|guida|rijbewijs|licen", re.IGNORECASE)
_PASSPORT_LABEL = re.compile(r"passport|travel\sdocument|reisepass", re.IGNORECASE)
_BIRTH_LABEL = re.compile(r"birth|\bd\.?o\.?b\b", re.IGNORECASE)


def driver_licence(found: Found) -> bool:
    """A form of one of the American states, the British form with a possible month, or the Indian one.

    Sources: AAMVA for the states; for Great Britain the DVLA's driver number, whose months run from 01 to 12 and for
    women from 51 to 62; for India the Ministry of Road Transport.
    """
    if not stands_alone(found):
        return False
    number = re.sub(r"[ -]", "", found.value).upper()
    if _BRITISH.fullmatch(number) and int(number[6:8]) % 50 in range(1, 13):
        return True
    if re.fullmatch(r"[A-Z]{2}\d{2}(?:19|20)\d{9}", number):
        return True
    return _STATE_FORM.fullmatch(number) is not None and _in_column(found, _LICENCE_LABEL)


def passport(found: Found) -> bool:
    """A number with a digit in it, beside its label or in the label's column."""
    return any(character.isdigit() for character in found.value) and _in_column(found, _PASSPORT_LABEL)


def birth_date(found: Found) -> bool:
    """A date beside its label or in the label's column."""
    return _in_column(found, _BIRTH_LABEL)


def _in_column(found: Found, label: re.Pattern[str]) -> bool:
    """The label stands in the value's line, or, in a table of commas, at the head of the value's column."""
    head, _, line = found.before(_WINDOW).rpartition("\n")
    if label.search(line) or "," not in head.rpartition("\n")[2]:
        return True
    cells = head.rpartition("\n")[2].split(",")
    column = line.count(",")
    return column < len(cells) and label.search(cells[column]) is not None
