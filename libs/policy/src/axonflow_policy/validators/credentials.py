"""Tells a secret that is told or assigned from a placeholder, a variable, a column or a sentence about secrets."""

from __future__ import annotations

import base64
import binascii
import re

from axonflow_policy.validators.found import Found
from axonflow_policy.validators.secrets import entropy, password_value

# Keys of tables are no secrets (contract, agent section 3.3).
_SQL_KEY = re.compile(r"\b(?:primary|foreign|unique|partition|sort|candidate)\s+key\b|\bkey\s*\(", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"x{4,}|X{3,}|\*{3,}|\.{3,}|0{8,}|your|example|placeholder|change_?me|dummy|sample|redacted|fake|[<>{}$%]|1234567890"
    r"|abcdef|todo|insert|replace|(?:secret|key|token|password|pass)_?here|my[_-]?(?:secret|token|key|pass)|not[_-]?real",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?:process|os|env|config|settings|self|this|secrets|vault|request|req|response|data)\.", re.IGNORECASE
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WORDS = re.compile(r"[A-Za-z]+(?:[-_./][A-Za-z]+)*")
# Tokens of a vendor whose prefix nothing else has; they may hold letters alone.
_VENDOR = re.compile(r"hf_[A-Za-z0-9]{30,}")
_PASSWORD_WORD = re.compile(r"(?:pass(?:word)?|pwd|secret|user|admin|root|token|test)(?:word)?\d{0,2}", re.IGNORECASE)
# Below this many bits a character, a long value is a word or was typed by hand.
_VARIED_BITS = 3.0
_SHORTEST_PAIR = 6
# In prose a word with a digit may be anything ("the password is step2"): another kind of character must be there.
_KINDS_IN_PROSE = 2


def secret_value(found: Found) -> bool:
    """Varied characters with a digit: no placeholder, no identifier of code, no key of a table, no UUID."""
    value = found.value
    if _VENDOR.fullmatch(value):
        return _PLACEHOLDER.search(value) is None and entropy(value) >= _VARIED_BITS and value[3:] != value[3:].lower()
    if _PLACEHOLDER.search(value) or _CODE.match(value) or _UUID.fullmatch(value) or _WORDS.fullmatch(value):
        return False
    if _SQL_KEY.search(found.before(40)) or re.match(r"\s{0,2}\(", found.after(3)):
        return False
    return any(character.isdigit() for character in value) and entropy(value) >= _VARIED_BITS


def told_password(found: Found) -> bool:
    """A password that is a literal: a digit or sign and a letter in it, not a word of the sentence."""
    value = found.value.rstrip(".!?")
    if re.fullmatch(r"[A-Za-z]+(?:['-][A-Za-z]+)*", value) or not re.search(r"[A-Za-z]", value):
        return False
    if re.search(r"\b(?:is|was)\s*\Z", found.before(6), re.IGNORECASE):
        kinds = (r"\d", r"[A-Z]", r"[^\w\s]")
        if sum(re.search(kind, value) is not None for kind in kinds) < _KINDS_IN_PROSE:
            return False
    return password_value(found) and _PLACEHOLDER.search(value) is None


def credential_pair(found: Found) -> bool:
    """A password beside its user; what follows ``Basic`` holds a colon once decoded (RFC 7617)."""
    value = found.value
    if _PLACEHOLDER.search(value) or _PASSWORD_WORD.fullmatch(value):
        return False
    if found.before(6).lower() == "basic ":
        return _basic(value)
    return len(value) >= _SHORTEST_PAIR and re.search(r"[^A-Za-z]", value) is not None and "(" not in value


def _basic(value: str) -> bool:
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        return False
    return b":" in decoded


def connection_password(found: Found) -> bool:
    """A literal password: not a variable, a placeholder, or the word itself."""
    value = found.value
    return _PLACEHOLDER.search(value) is None and _PASSWORD_WORD.fullmatch(value) is None and value[0] not in "[("
