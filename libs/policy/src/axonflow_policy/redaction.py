"""Masks what policies found, span by span; text outside the spans is never touched."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from types import MappingProxyType

import msgspec
from axonflow_contracts.verdicts import Action

from axonflow_policy.model import Content, Match, Part

_EXCERPT_LIMIT = 500
_KEPT_DIGITS = 4
# The digits of a base64 payload or an escape are not those of the number that it stands for.
_ENCODED = re.compile(r"[&%\\]|[A-Za-z][0-9]+[A-Za-z]|[0-9][A-Za-z]+[0-9]")
_PAN = "pan"
_PAN_LENGTH = 10
_UPI = "upi"
_UPI_KEPT = 3
_WHOLE_PART = '"[REDACTED]"'
_PREFIXES = ("sys_pii_", "sys_code_", "sys_sensitive_", "sys_")
# Categories whose matched text is itself the secret; what a statement or command looked like stays readable.
_PERSONAL = ("pii-", "code-secrets", "sensitive-data")


def redaction_kind(policy_id: str) -> str:
    """The word in a mask, such as ``email`` for ``sys_pii_email``."""
    prefix = next((prefix for prefix in _PREFIXES if policy_id.startswith(prefix)), "")
    return policy_id[len(prefix) :]


def is_masked(category: str, action: Action) -> bool:
    """Whether what was found is hidden in records: personal data and secrets always, else if a policy says so."""
    return action is Action.REDACT or category.startswith(_PERSONAL)


def redact_text(text: str, matches: Iterable[Match]) -> str:
    """``text`` with every span of ``matches`` masked.

    Spans that overlap become one, masked as the match that comes first by start, then length, priority and id.
    SSN, card, phone, bank account and Aadhaar keep their last four digits, a PAN loses six characters, of a UPI ID at
    most three stay before the bank; everything else is ``[REDACTED:<kind>]`` (contract, agent section 3.5). The caller
    passes only the matches it wants masked.
    """
    out: list[str] = []
    position = 0
    for start, end, policy_id in _merged(matches):
        out.append(text[position:start])
        out.append(_mask(policy_id, text[start:end]))
        position = end
    out.append(text[position:])
    return "".join(out)


def redact_content(content: Content, matches: Iterable[Match]) -> Content:
    """``content`` with the spans of ``matches`` masked in the part each names; paths must be unique.

    A structured part that is not JSON any more after masking (a number became a mask) is masked as a whole.
    """
    by_path: dict[str, list[Match]] = {}
    for match in matches:
        by_path.setdefault(match.path, []).append(match)
    return Content(tuple(_redact_part(part, by_path.get(part.path, [])) for part in content.parts))


def _redact_part(part: Part, matches: list[Match]) -> Part:
    if not matches:
        return part
    text = redact_text(part.text, matches)
    if part.structured:
        try:
            msgspec.json.decode(text)
        except msgspec.DecodeError:
            text = _WHOLE_PART
    return msgspec.structs.replace(part, text=text)


def redact_excerpt(text: str, matches: Iterable[Match], limit: int = _EXCERPT_LIMIT) -> str:
    """The first ``limit`` characters of ``text`` fit for a record.

    Personal data and secrets are masked whatever their action is, and so is all that a policy wants redacted; the text
    is masked before it is cut, so no half of a number is left at the end.
    """
    return redact_text(text, (match for match in matches if is_masked(match.category, match.action)))[:limit]


def _merged(matches: Iterable[Match]) -> list[tuple[int, int, str]]:
    spans = sorted((start, -end, -match.priority, match.policy_id) for match in matches for start, end in match.spans)
    merged: list[tuple[int, int, str]] = []
    for start, negative_end, _, policy_id in spans:
        end = -negative_end
        if merged and start < merged[-1][1]:
            first_start, first_end, first_id = merged[-1]
            merged[-1] = (first_start, max(first_end, end), first_id)
        else:
            merged.append((start, end, policy_id))
    return merged


def _mask(policy_id: str, found: str) -> str:
    kind = redaction_kind(policy_id)
    if kind == _PAN and len(found) == _PAN_LENGTH:
        return f"{found[:2]}******{found[8:]}"
    if kind == _UPI and "@" in found:
        name, _, bank = found.partition("@")
        return f"{name[:_UPI_KEPT]}***@{bank}"
    keep = _KEEPING_LAST_FOUR.get(kind)
    digits = [str(unicodedata.decimal(character)) for character in found if character.isdecimal()]
    if keep is None or len(digits) <= _KEPT_DIGITS or _ENCODED.search(found):
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
