"""Checks for credentials: shape, header, and whether the value is a placeholder that people write in examples."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter

import msgspec

from axonflow_policy.validators.found import Found

_PLACEHOLDER = re.compile(
    r"x{4,}|\*{3,}|\.{3,}|your|example|placeholder|change_?me|dummy|sample|redacted|<[^>]*>|\$\{|\{\{|1234567890"
    r"|abcdef123456|foo_?bar|todo|insert|replace|(?:secret|key|token|password)_?here",
    re.IGNORECASE,
)
_NOT_A_LITERAL = re.compile(
    r"[$<{(\[*]|%[({s]|%\w+%$|process\.|os\.|env\.|config\.|getpass|none\b|null\b|true\b|false\b", re.IGNORECASE
)
# Below this many bits a character, a long token is a pattern typed by hand.
_TOKEN_ENTROPY = 3.0
_SECRET_ENTROPY = 4.0
_VARIED = 8  # different characters that a quoted value of letters alone must have


def entropy(text: str) -> float:
    """Shannon entropy in bits a character."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())


def token(found: Found) -> bool:
    """A vendor token that is not a placeholder."""
    value = found.value
    body = re.sub(r"^[a-z]+[-_](?:[a-z]+\d*[-_])*", "", value) or value
    return _PLACEHOLDER.search(value) is None and entropy(body) >= _TOKEN_ENTROPY


def aws_access_key(found: Found) -> bool:
    """Sixteen varied characters after a known prefix (AWS IAM, unique ids); keys of the documentation say EXAMPLE."""
    return "EXAMPLE" not in found.value and len(set(found.value[4:])) > 1


def aws_secret_key(found: Found) -> bool:
    """Forty characters that neither a hash nor a word is made of."""
    value = found.value
    if "EXAMPLE" in value or re.fullmatch(r"[0-9a-fA-F]+", value) or re.match(r"[A-Za-z0-9/+=]", found.after(1)):
        return False
    return entropy(value) >= _SECRET_ENTROPY


def jwt(found: Found) -> bool:
    """Three parts whose first is a JSON object with ``alg`` (RFC 7519 section 5, RFC 7515 section 4.1.1)."""
    header = found.value.split(".", 1)[0]
    try:
        decoded = msgspec.json.decode(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(decoded, dict) and "alg" in decoded


def private_key(found: Found) -> bool:
    """A PEM header (RFC 7468) that key material follows, not a mention of the header."""
    body = re.sub(r"-----[^-]+-----", "", found.value)
    return re.search(r"[A-Za-z0-9+/]{16}", body) is not None and "..." not in body[:20]


def password_value(found: Found) -> bool:
    """A literal value: not a variable, a call, a type, a prompt or a placeholder."""
    value = found.value
    if _PLACEHOLDER.search(value) or _NOT_A_LITERAL.match(value):
        return False
    digit = any(character.isdigit() for character in value)
    if found.before(1) in {'"', "'", "`"}:
        return digit or re.search(r"[^\w\s]", value) is not None or len(set(value)) > _VARIED
    return digit and re.search(r"[A-Za-z]", value) is not None and not re.search(r"[(\[]|->|==", value)
