"""Checks for identifiers of Europe, by python-stdnum."""

from __future__ import annotations

import re

from stdnum.iso7064 import mod_97_10

from axonflow_policy.validators.found import Found


def iban(found: Found) -> bool:
    """Checksum modulo 97 over the whole number (ISO 13616-1), which stands for itself."""
    value = re.sub(r"[ -]", "", found.value).upper()
    return bool(mod_97_10.is_valid(value[4:] + value[:4])) and re.match(r"[ -]?\d", found.after(2)) is None
