"""Numbers of driving licences: behind a label or under a column's head.

The British and the Indian form are told from others by themselves, but a search for them without a label costs a third
of the whole scan.
"""

from __future__ import annotations

LABEL = (
    r"(?:driver'?s?[\s_-]?licen[cs]e|driving[\s_-]?licen[cs]e|licen[cs]e\sto\sdrive|DVLA|\bDL\s?(?:number|num|no\.?|#)"
    r"|f(?:\xc3\xbc|\xfc|ue)hrerschein(?:nummer)?|permis\sde\sconduire|(?:carn\w?t|permiso|licencia)\sde\sconduc\w{1,3}"
    r"|patente\sdi\sguida|rijbewijs(?:nummer)?)"
)
# American states print seven to fourteen letters and digits, some in groups; who confirms them knows the forms.
_NUMBER = r"[A-Z]{0,3}[ -]?\d[A-Z0-9]{2,13}(?:[ -][A-Z0-9]{3,6}){0,3}"
# Five letters of the name, decade, month (women 5 or 6), day, year, initials (9 for none), a digit, two check letters.
_BRITISH = r"[A-Z9]{5}\d[0156]\d(?:[0-2]\d|3[01])\d[A-Z9]{2}[A-Z0-9][A-Z]{2}"
# State, office, year of issue and seven digits (Ministry of Road Transport, Sarathi).
_INDIAN = (
    r"(?:A[NPRS]|BR|C[GH]|D[DLN]|G[AJ]|H[PR]|J[HK]|K[AL]|L[AD]|M[HLNPZ]|NL|O[DR]|P[BY]|RJ|SK|T[GNRS]|U[AKP]|WB)"
    r"[- ]?\d{2}[- ]?(?:19|20)\d{2}[- ]?\d{7}"
)


def under_head(label: str, value: str) -> str:
    """``value`` in the first line of a table of commas whose head has ``label``; the caller compares the columns."""
    head = rf"(?i:{label})(?:\s(?:number|no\.?))?"
    return rf"{head}(?:,[^,\n]{{0,30}}){{0,8}}\r?\n(?:[^,\n]{{0,40}},){{0,8}}?({value})(?:,|\s|$)"


def after_label(separator: str) -> str:
    """The pattern, given what may stand between a label and its value."""
    return (
        rf"(?i:{LABEL}{separator}(?:number|no\.?|num|#|id)?{separator})({_BRITISH}|{_INDIAN}|{_NUMBER})\b"
        rf"|{under_head(LABEL, _NUMBER)}"
    )
