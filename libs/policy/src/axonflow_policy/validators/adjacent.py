"""Whether a whole identifier ends before a value or begins behind it: then the value is no piece of a longer number.

Judged by shape and check digit alone, in a window of fixed size, so that a run of numbers costs a constant each.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from stdnum import luhn
from stdnum.fr import nir
from stdnum.in_ import aadhaar, gstin
from stdnum.iso7064 import mod_97_10

from axonflow_policy.validators.found import Found

# The longest of them is an IBAN of 34 characters in groups of four; the shortest an IPv4 address or a phone number.
_WINDOW = 44
_SHORTEST = 7
_BEGIN = re.compile(r"\A|[^\w.@$/#+-]")
_END = re.compile(r"[^\w.@$/:-]|[.:](?=\s|\Z)|\Z")

# Forms that no other number has: SSN, North American and international phone, NIK, NPWP, IPv4.
_TELLING = re.compile(
    r"(?!000|666|9)\d{3}([-. ])(?!00)\d{2}\1(?!0000)\d{4}"
    r"|(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[.-])[2-9]\d{2}[.-]\d{4}"
    r"|\+\d{1,3}[ -]?\d{2,5}(?:[ -]?\d{3,5}){1,2}"
    r"|[1-9]\d{5}(?:0[1-9]|[12]\d|3[01]|4[1-9]|[56]\d|7[01])(?:0[1-9]|1[0-2])\d{6}"
    r"|\d{2}\.\d{3}\.\d{3}\.\d-\d{3}\.\d{3}"
    r"|\d{1,3}(?:\.\d{1,3}){3}"
)


def _is_iban(value: str) -> bool:
    bare = re.sub(r"[ -]", "", value)
    return bool(mod_97_10.is_valid(bare[4:] + bare[:4]))


def _is_card(value: str) -> bool:
    digits = re.sub(r"[ -]", "", value)
    return len(set(digits)) > 1 and bool(luhn.is_valid(digits))


_CHECKED: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (re.compile(r"[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{1,4}(?:\1\d{3})?"), _is_card),
    (re.compile(r"3[47]\d{2}([ -]?)\d{6}\1\d{5}"), _is_card),
    (re.compile(r"3[0689]\d{2}([ -]?)\d{6}\1\d{4}"), _is_card),
    (re.compile(r"[2-9]\d{3}([ -]?)\d{4}\1\d{4}"), lambda value: bool(aadhaar.is_valid(value))),
    (re.compile(r"\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[A-Z0-9]"), lambda value: bool(gstin.is_valid(value))),
    (re.compile(r"[12]\d{14}"), lambda value: bool(nir.is_valid(value))),
    (re.compile(r"[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)"), _is_iban),
)


def one_ends_before(found: Found) -> bool:
    """Whether what stands before the value and a blank ends with a whole identifier."""
    near = found.before(_WINDOW)
    if not near.endswith(" "):
        return False
    near = near[:-1]
    begins = [place.end() for place in _BEGIN.finditer(near)]
    if len(near) + 1 == _WINDOW:
        begins = begins[1:]  # the window may begin inside a word
    return any(_is_identifier(near[begin:]) for begin in reversed(begins) if len(near) - begin >= _SHORTEST)


def one_begins_after(found: Found) -> bool:
    """Whether a blank and a whole identifier follow the value."""
    near = found.after(_WINDOW)
    if not near.startswith(" "):
        return False
    ends = [place.start() for place in _END.finditer(near[1:])]
    if len(near) == _WINDOW:
        ends = ends[:-1]
    return any(_is_identifier(near[1 : end + 1]) for end in ends if end >= _SHORTEST)


@lru_cache(maxsize=1024)
def _is_identifier(value: str) -> bool:
    if _TELLING.fullmatch(value):
        return True
    return any(shape.fullmatch(value) and check(value) for shape, check in _CHECKED)
