"""What stands in the place of a finding, and which finding a place belongs to where several overlap."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import NamedTuple

from axonflow_policy.model import Match

_KEPT_DIGITS = 4
# The digits of a base64 payload or an escape are not those of the number that it stands for.
_ENCODED = re.compile(r"[&%\\]|[A-Za-z][0-9]+[A-Za-z]|[0-9][A-Za-z]+[0-9]")
_PAN = "pan"
_PAN_LENGTH = 10
_UPI = "upi"
_UPI_KEPT = 3
_PREFIXES = ("sys_pii_", "sys_code_", "sys_sensitive_", "sys_")


class Piece(NamedTuple):
    """A stretch of a text to hide: half-open character range, and the policy that names its mask."""

    start: int
    end: int
    policy_id: str


class Edit(NamedTuple):
    """A stretch of a text, and what takes its place."""

    start: int
    end: int
    made: str


# Policy id, what it found, and whether that is a JSON number: what takes its place.
Mask = Callable[[str, str, bool], str]


def redaction_kind(policy_id: str) -> str:
    """The word in a mask, such as ``email`` for ``sys_pii_email``."""
    prefix = next((prefix for prefix in _PREFIXES if policy_id.startswith(prefix)), "")
    return policy_id[len(prefix) :]


def pieces_of(matches: Iterable[Match]) -> list[Piece]:
    """All spans in order; those that overlap as one, named by the first by start, then length, priority and id."""
    spans = sorted((start, -end, -match.priority, match.policy_id) for match in matches for start, end in match.spans)
    merged: list[Piece] = []
    for start, negative_end, _, policy_id in spans:
        end = -negative_end
        if merged and start < merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, end))
        else:
            merged.append(Piece(start, end, policy_id))
    return merged


def edited(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with ``edits``, which stand in order and do not overlap; all else stays as it is."""
    out: list[str] = []
    position = 0
    for start, end, made in edits:
        out += (text[position:start], made)
        position = end
    out.append(text[position:])
    return "".join(out)


def masked(policy_id: str, found: str, number: bool = False) -> str:
    """The mask of contract, agent section 3.5."""
    kind = redaction_kind(policy_id)
    if kind == _PAN and len(found) == _PAN_LENGTH:
        return f"{found[:2]}******{found[8:]}"
    if kind == _UPI and "@" in found:
        name, _, bank = found.partition("@")
        return f"{name[:_UPI_KEPT]}***@{bank}"
    keep = _KEEPING_LAST_FOUR.get(kind)
    digits = [str(unicodedata.decimal(character)) for character in found if character.isdecimal()]
    written_otherwise = _ENCODED.search(found) is not None or (number and not found.lstrip("-").isdigit())
    if keep is None or len(digits) <= _KEPT_DIGITS or written_otherwise:
        return f"[REDACTED:{kind}]"
    return keep("".join(digits[-_KEPT_DIGITS:]))


_KEEPING_LAST_FOUR: MappingProxyType[str, Callable[[str], str]] = MappingProxyType(
    {
        "ssn": "XXX-XX-{}".format,
        "credit_card": "****-****-****-{}".format,
        "phone": "***-***-{}".format,
        "bank_account": "****{}".format,
        "aadhaar": "XXXX XXXX {}".format,
    }
)
