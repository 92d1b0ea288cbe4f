"""Characters that pass for ASCII ones or for nothing at all; the ones that evasions use, not all that Unicode has.

The pairs are letters whose usual print cannot be told from the ASCII letter (compare Unicode Technical Standard 39);
circled, squared, small-capital and regional letters follow from their Unicode names, digits from their values.
"""

# ruff: noqa: RUF001 # look-alikes are what this file is about

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType

_PAIRS = (
    ("абеёіїјкморсѕтухһԁԛԝѵӏ", "a6eeiijkmopcstyxhdqwvl"),
    ("АВЕЁЗІЇЈКМНОРСЅТУХҺԌԚԜѴӀ", "ABEE3IIJKMHOPCSTYXHGQWVl"),
    ("αεγηικνορτυχωϳ", "aeynikvoptuxwj"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧͿ", "ABEZHIKMNOPTYXJ"),
    ("աօսոհցզյգ", "wounhgqjq"),
    ("ՏՕՍԼ", "SOUL"),
    ("ᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃ", "ABCDEGHJKLMPRSTVWZ"),
    ("ıɑɡɩʏⅼꞁ∣ǀ", "iagiyll||"),
    ("⁄∕∶ː٫", "//::."),
    ("ʹʻʼʽˈ‵", "'" * 6),
)
ASCII_OF = MappingProxyType({odd: plain for odds, plains in _PAIRS for odd, plain in zip(odds, plains, strict=True)})

# NEGATIVE CIRCLED LATIN CAPITAL LETTER A, LATIN LETTER SMALL CAPITAL B, REGIONAL INDICATOR SYMBOL LETTER C
_NAMED = re.compile(r"(?:.*LATIN .*|REGIONAL INDICATOR SYMBOL )(?:LETTER|CAPITAL) ([A-Z])")
# Blank letters and fillers that are no format characters by category.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\u2800")
_COMBINING = range(0x300, 0x370)
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0000, 0xE1000))


def is_hidden(character: str) -> bool:
    """Whether a reader sees nothing of it: format characters, bidi controls, joiners, tags, selectors, lone accents."""
    code = ord(character)
    return (
        unicodedata.category(character) == "Cf"
        or character in _BLANK
        or code in _COMBINING
        or any(code in selectors for selectors in _VARIATION_SELECTORS)
    )


def plain_letter(character: str) -> str:
    """A digit of any script, or a letter in a circle, square or small capital, as ASCII; else the character."""
    if character.isascii():
        return character
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    name = unicodedata.name(character, "")
    named = _NAMED.fullmatch(name)
    if named is None:
        return character
    return named[1] if " CAPITAL LETTER " in name else named[1].lower()
