"""Which matches of one policy in one reading count: the pattern says where to look, the validator whether it is one."""

from __future__ import annotations

import re2

from axonflow_policy.alignment import Span
from axonflow_policy.decoding import FENCE
from axonflow_policy.validators import Found, Validator
from axonflow_policy.validators.adjacent import one_begins_after
from axonflow_policy.views import View

# How often a rejected number is tried again without its last group: a phone number takes up to four of the next one.
_RETRIES = 4
# Of one policy in one text: matches told apart, and candidates turned away, before the rest is taken as found. A text
# of ten megabytes held a scan for a minute without them.
_MOST_SPANS = 1_000
_MOST_REJECTED = 50_000
_FENCE = FENCE.encode("ascii")


def confirmed_spans(
    pattern: re2._Regexp, validator: Validator | None, view: View, latin: str, enough: int | None
) -> list[Span]:
    """Spans whose match counts.

    A rejected one is tried again without its last words, then from its second word on: ``4111 1111 1111 1111 123``
    holds a card, although the whole is none. A flood of either kind costs no more than its bound: what is left after it
    counts as found, whole, so that the row's own action decides about what nobody looked at.
    """
    data = view.data
    search = _search_inside if view.fenced else _search
    spans: list[Span] = []
    position = rejected = 0
    while (found := search(pattern, data, position)) is not None:
        if len(spans) >= _MOST_SPANS or rejected >= _MOST_REJECTED:
            spans.append((found.start(), len(data)))
            break
        span = _span(found)
        tries = _RETRIES if enough is None else 0
        while validator is not None and not validator(Found(latin, *span)):
            cut = data.rfind(b" ", span[0] + 1, span[1]) if tries else -1
            shorter = _search(pattern, data, found.start(), cut) if cut > 0 else None
            if shorter is None:
                space = data.find(b" ", found.start() + 1, found.end()) if enough is None else -1
                position = found.end() if space < 0 else space + 1
                rejected += 1
                break
            tries -= 1
            found, span = shorter, _span(shorter)
        else:
            spans.append(span)
            if len(spans) == enough:
                break
            position = _behind(latin, found, span) if enough is None and validator is not None else found.end()
    return spans


def _behind(latin: str, found: re2._Match, span: Span) -> int:
    """Where to search on: at the second word where digits go on that are no identifier, and this was a chance hit."""
    goes_on = latin[span[1] : span[1] + 1] == " " and latin[span[1] + 1 : span[1] + 2].isdigit()
    space = latin.find(" ", *span) if goes_on else -1
    return found.end() if space < 0 or one_begins_after(Found(latin, *span)) else space + 1


def _search(pattern: re2._Regexp, data: bytes, position: int, end: int | None = None) -> re2._Match | None:
    """The next match that holds anything: one of nothing at all can be neither shown nor masked."""
    last = len(data) if end is None else end
    while position <= last and (found := pattern.search(data, position, last)) is not None:
        if found.start() < found.end():
            return found
        position = found.end() + 1
    return None


def _search_inside(pattern: re2._Regexp, data: bytes, position: int) -> re2._Match | None:
    """The next match that reaches over no fence."""
    while (found := _search(pattern, data, position)) is not None:
        wall = data.find(_FENCE, found.start(), found.end())
        if wall < 0:
            return found
        inside = _search(pattern, data, found.start(), wall)
        if inside is not None:
            return inside
        position = wall + 1
    return None


def _span(found: re2._Match) -> Span:
    """The first group that holds anything, else the whole match."""
    for group in range(1, found.re.groups + 1):
        start, end = found.span(group)
        if start < end:
            return start, end
    start, end = found.span()
    return start, end


def merged_spans(spans: list[Span]) -> list[Span]:
    """In order, and those that overlap, found in several views, as one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
