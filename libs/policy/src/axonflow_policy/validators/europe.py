"""Checks for identifiers of Europe, by python-stdnum."""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum.at import vnr
from stdnum.be import nn
from stdnum.bg import egn
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.ee import ik
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.gr import amka
from stdnum.hr import oib
from stdnum.ie import pps
from stdnum.iso7064 import mod_97_10
from stdnum.it import codicefiscale
from stdnum.lt import asmens
from stdnum.lv import pvn
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import nif
from stdnum.ro import cnp
from stdnum.se import personnummer

from axonflow_policy.validators.adjacent import one_begins_after
from axonflow_policy.validators.found import Found
from axonflow_policy.validators.neighbours import unclaimed

# A label's word, and the numbers that it may announce.
_LABELLED: tuple[tuple[re.Pattern[str], tuple[Callable[[str], bool], ...]], ...] = tuple(
    (re.compile(label, re.IGNORECASE), checks)
    for label, checks in (
        (r"steuer", (idnr.is_valid,)),
        (r"sozialversicherung|svnr", (vnr.is_valid,)),
        (r"\bnir\b|curit", (nir.is_valid,)),
        (r"bsn|burgerservice", (bsn.is_valid,)),
        (r"pesel", (pesel.is_valid,)),
        (r"\bdni\b|\bnif\b|contribuinte", (dni.is_valid, nif.is_valid)),
        (r"rijksregister|national\Z|national\W", (nn.is_valid,)),
        (r"personnummer|\bpnr\b|personal identity", (personnummer.is_valid,)),
        (r"cpr", (cpr.is_valid,)),
        (r"pps", (pps.is_valid,)),
        (r"cnp", (cnp.is_valid,)),
        (r"egn|\xd0\x95\xd0\x93\xd0\x9d", (egn.is_valid,)),
        (r"rodn", (rc.is_valid,)),
        (r"oib", (oib.is_valid,)),
        (r"amka|\xce\x91\xce\x9c\xce\x9a\xce\x91", (amka.is_valid,)),
        (r"isikukood", (ik.is_valid,)),
        (r"asmens", (asmens.is_valid,)),
        (r"personas", (pvn.is_valid,)),
        (r"dselsnummer", (fodselsnummer.is_valid,)),
        (r"nhs", (nhs.is_valid,)),
    )
)
_LABEL_REACH = 90
_NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-Z]{2}\d{6}[A-D]")


def iban(found: Found) -> bool:
    """Checksum modulo 97 over the whole number (ISO 13616-1), which stands for itself."""
    value = re.sub(r"[ -]", "", found.value).upper()
    if not mod_97_10.is_valid(value[4:] + value[:4]):
        return False
    return re.match(r"[ -]?\d", found.after(2)) is None or one_begins_after(found)


def european_identity(found: Found) -> bool:
    """The check digit of a country whose label stands before it, or a form that is one country's alone.

    Sources: python-stdnum for each country; for the United Kingdom's insurance number, which has no check digit, the
    allowed letters (HMRC, National Insurance Manual NIM39110).
    """
    value = found.value
    if not unclaimed(found):
        return False
    if value[0].isalpha():
        bare = re.sub(r"[ -]", "", value)
        return bool(codicefiscale.is_valid(bare) or nie.is_valid(bare)) or _NINO.fullmatch(bare) is not None
    if hetu.is_valid(value) or nir.is_valid(value):
        return True
    before = found.before(_LABEL_REACH)
    return any(check(value) for label, checks in _LABELLED if label.search(before) for check in checks)
