"""The few words of the input that a row may keep: redacted first, then cut."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

import msgspec
from axonflow_policy import Content, Evaluation, Match, redact_text
from axonflow_policy.redaction import is_masked

EXCERPT_CHARS = 500
# A text is redacted no further than this: masks shorten it, but rarely so much that less than an excerpt is left.
_READ_CHARS = 4_096


def excerpt_of(content: Content, evaluation: Evaluation) -> tuple[str, int]:
    """The first 500 characters of the redacted input, and how many matches were masked in all of it."""
    by_path: dict[str, list[Match]] = defaultdict(list)
    masked = 0
    for match in evaluation.matches:
        if is_masked(match.category, match.action):
            by_path[match.path].append(match)
            masked += max(1, len(match.spans))
    pieces: list[str] = []
    size = 0
    for part in content.parts:
        if size >= EXCERPT_CHARS:
            break
        piece = _redacted_head(part.text, by_path[part.path]) if part.path in by_path else part.text[:EXCERPT_CHARS]
        pieces.append(piece)
        size += len(piece) + 1
    return "\n".join(pieces)[:EXCERPT_CHARS], masked


def _redacted_head(text: str, matches: Sequence[Match]) -> str:
    """The beginning of ``text``, masked; it ends before a finding that is not wholly in it."""
    if len(text) <= _READ_CHARS:
        return redact_text(text, matches)
    end = _READ_CHARS
    near: list[Match] = []
    for match in matches:
        spans = match.spans[: bisect_left(match.spans, (_READ_CHARS, 0))]  # spans stand in order
        near.append(msgspec.structs.replace(match, spans=spans))
        end = min([end, *(start for start, stop in spans[-1:] if stop > _READ_CHARS)])
    whole = [
        msgspec.structs.replace(match, spans=tuple(span for span in match.spans if span[1] <= end)) for match in near
    ]
    return redact_text(text[:end], whole)
