"""The words that announce a national identity number in Europe, and the numbers that need no word."""

from __future__ import annotations

# Letters beyond ASCII are two bytes or, folded, one character; a dot or two stands for them.
LABELS = (
    r"(?:(?i:\b(?:steuer-?(?:id|idnr|identifikationsnummer|identnummer)|sozialversicherungsnummer|svnr|nir"
    r"|s.{1,4}curit.{1,4} sociale|bsn|burgerservicenummer|pesel|codice\sfiscale|dni|nif|rijksregisternummer"
    r"|registre\snational|num.{1,4}ro\snational|contribuinte|personnummer|pnr|henkil.{1,4}tunnus\w*|cpr(?:-?n(?:umme)?r)?"
    r"|ppsn?|cnp|egn|rodn.{1,4} .{1,4}slo|oib|amka|isikukood|asmens\skodas|personas\skods|f.{1,4}dselsnummer|nhs"
    r"|national\sid(?:entity)?(?:\snumber)?|personal\sidentity\scode))"
    r"|\xd0\x95\xd0\x93\xd0\x9d|\xce\x91\xce\x9c\xce\x9a\xce\x91)"
)
NUMBER = r"\d(?:[ ./-]?\d){6,14}[A-Z]{0,2}"
BARE = (
    r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]|[XYZ]-?\d{7}-?[A-Z]|\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]"
    r"|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]|[12]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)\d{10}"
)
