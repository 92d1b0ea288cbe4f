"""Postal addresses: a house, a street and a place with its code, as several countries write them on one line or two."""

from __future__ import annotations

_GAP = r"[,\s]{1,3}"
_NAME = r"[A-Z][A-Za-z'.\x80-\xff-]{0,24}"
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Terrace|Square|Sq|Parkway"
    r"|Pkwy|Highway|Hwy|Circle|Cir|Close|Crescent|Mews|Trail|Alley|Gardens|Grove)\.?"
)
_UNIT = rf"(?:{_GAP}(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Room|#)\.?\s?#?[A-Z0-9-]{{1,6}})?"
_HOUSE = rf"\d{{1,5}}[A-Za-z]?\s(?:[NSEW]{{1,2}}\.?\s)?(?:(?:{_NAME}|\d{{1,3}}(?:st|nd|rd|th))\s){{1,3}}"
_TOWN = rf"(?:{_NAME}[ ]){{0,2}}{_NAME}"
_ZIP = rf"(?:[A-Z]{{2}}|{_NAME})[ ]\d{{5}}(?:-\d{{4}})?"
_POSTCODE = r"[A-Z]{1,2}\d[A-Z0-9]?[ ]\d[A-Z]{2}"
_AUSTRALIAN = r"(?:NSW|VIC|QLD|WA|SA|TAS|ACT|NT)[ ]\d{4}"
_CANADIAN = r"(?:ON|QC|BC|AB|MB|SK|NS|NB|NL|PE)[ ][A-Z]\d[A-Z][ ]?\d[A-Z]\d"

_ENGLISH = rf"{_HOUSE}{_STREET}{_UNIT}{_GAP}(?:{_TOWN}{_GAP}){{0,2}}(?:{_ZIP}|{_POSTCODE}|{_AUSTRALIAN}|{_CANADIAN})\b"
_LABELLED = (
    r"(?i:\b(?:(?:home|postal|mailing|billing|shipping|street|residential|delivery)\saddress|address|lives?\sat"
    r"|living\sat|resid(?:es|ing)\sat|(?:ship|deliver|mail)(?:\sit|\sthem|ed)?\sto|moved\sto)[\"']?\s?(?::|=|is)?\s{0,2}[\"']?)"
    rf"({_HOUSE}{_STREET})\b"
)
_GERMAN = (
    rf"{_NAME}(?:stra(?:\xc3\x9f|\xdf|ss)e|str\.|weg|platz|allee|gasse|damm|ufer|ring|straat|laan|gracht|plein|kade)"
    rf"\s\d{{1,4}}\s?[a-z]?{_GAP}(?:(?:D|A|CH)-)?\d{{4,5}}(?:\s?[A-Z]{{2}})?\s{_NAME}"
)
_ROMANCE = (
    r"(?:\d{1,4}(?:\s?(?:bis|ter))?,?\s(?:rue|avenue|boulevard|place|chemin|impasse|quai)\s[^\n,\d]{2,40}"
    r"|(?:Calle|Avenida|Avda\.|Paseo|Via|Viale|Piazza|Corso|Rua)\s[^\n,\d]{2,40},?\s(?:n\.?\s?)?\d{1,4})"
    rf"{_GAP}\d{{5}}\s{_NAME}"
)
_SINGAPORE = (
    rf"(?:Blk|Block)\s\d{{1,4}}[A-Z]?\s(?:{_NAME}\s){{1,4}}(?:\d{{1,2}}\s)?"
    rf"#\d{{2}}-\d{{1,4}}{_GAP}(?:Singapore\s)?\d{{6}}"
)
_INDIAN = r"(?:Flat|House|Plot|Door|H\.?)\s?No\.?\s?[\w/-]{1,10},\s[^\n]{5,90}?[\s-]{1,3}[1-9]\d{2}\s?\d{3}"

ADDRESS = rf"{_LABELLED}|\b({_ENGLISH}|{_GERMAN}|{_ROMANCE}|{_SINGAPORE}|{_INDIAN})\b"
