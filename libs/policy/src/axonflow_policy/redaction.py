"""Masks what policies found, span by span; text outside the spans is never touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
from axonflow_contracts.verdicts import Action

from axonflow_policy.encoded import redacted_payload
from axonflow_policy.json_redaction import is_json, json_edits
from axonflow_policy.masks import Edit, Mask, Piece, edited, masked, pieces_of, redaction_kind
from axonflow_policy.model import Content, Match, Part

__all__ = ["is_masked", "redact_content", "redact_excerpt", "redact_part", "redact_text", "redaction_kind"]

# Finds matches in a text that was decoded from a payload, as `PolicySet.evaluate` under the caller's phase does.
Judge = Callable[[Content], Iterable[Match]]

_EXCERPT_LIMIT = 500
_WHOLE_PART = '"[REDACTED]"'
# Categories whose matched text is itself the secret; what a statement or command looked like stays readable.
_PERSONAL = ("pii-", "code-secrets", "sensitive-data")


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
    return _redacted(text, pieces_of(matches), masked)


def redact_content(content: Content, matches: Iterable[Match], *, judge: Judge | None = None) -> Content:
    """``content`` with the spans of ``matches`` masked in the part each names; paths must be unique.

    A structured part stays JSON of the same shape: strings are masked inside, a number becomes a masked string, and
    JSON in a string is looked into once. What is not JSON to begin with is masked as a whole.

    With ``judge`` a base64 or hexadecimal payload is decoded, redacted and written again in its own alphabet. The
    judge says what is to be masked in the decoded text; a payload where it finds nothing, or that is not text, is
    masked as a whole, as all are without a judge.
    """
    by_path: dict[str, list[Match]] = {}
    for match in matches:
        by_path.setdefault(match.path, []).append(match)
    mask = masked if judge is None else _looking_inside(judge)
    return Content(tuple(redact_part(part, by_path.get(part.path, ()), mask) for part in content.parts))


def redact_part(part: Part, matches: Sequence[Match], mask: Mask) -> Part:
    """``part`` with ``mask`` in the place of what ``matches`` found in it."""
    pieces = pieces_of(matches)
    if not pieces:
        return part
    text = _redacted_json(part.text, pieces, mask) if part.structured else _redacted(part.text, pieces, mask)
    return msgspec.structs.replace(part, text=text)


def redact_excerpt(text: str, matches: Iterable[Match], limit: int = _EXCERPT_LIMIT) -> str:
    """The first ``limit`` characters of ``text`` fit for a record.

    Personal data and secrets are masked whatever their action is, and so is all that a policy wants redacted; the text
    is masked before it is cut, so no half of a number is left at the end.
    """
    return redact_text(text, (match for match in matches if is_masked(match.category, match.action)))[:limit]


def _redacted(text: str, pieces: Sequence[Piece], mask: Mask) -> str:
    return edited(text, (Edit(start, end, mask(kind, text[start:end], False)) for start, end, kind in pieces))


def _redacted_json(text: str, pieces: Sequence[Piece], mask: Mask) -> str:
    """On doubt the whole part goes: what was no JSON, or would be none any more (contract, agent section 3.5)."""
    if not is_json(text):
        return _WHOLE_PART
    made = edited(text, json_edits(text, pieces, mask))
    return made if is_json(made) else _WHOLE_PART


def _looking_inside(judge: Judge) -> Mask:
    def mask(policy_id: str, found: str, number: bool) -> str:
        again = None if number else redacted_payload(found, lambda text: redact_text(text, judge(Content.of(text))))
        return masked(policy_id, found, number) if again is None else again

    return mask
