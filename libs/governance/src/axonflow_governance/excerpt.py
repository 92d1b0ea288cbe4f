"""The few words of the input that a row may keep: redacted first, then cut."""

from __future__ import annotations

from collections import defaultdict

from axonflow_policy import Content, Evaluation, Match, redact_text

EXCERPT_CHARS = 500
# Redaction can only shorten or lengthen a text by the mask; reading this much more than is kept is always enough.
_READ_CHARS = 4_096
# A row says which statement was refused, but never whose number or which key stood in it.
_PERSONAL = ("pii-", "code-secrets", "sensitive-data")


def excerpt_of(content: Content, evaluation: Evaluation) -> tuple[str, int]:
    """The first 500 characters of the redacted input, and how many matches were masked in all of it."""
    by_path: dict[str, list[Match]] = defaultdict(list)
    masked = 0
    for match in evaluation.matches:
        if match.category.startswith(_PERSONAL):
            by_path[match.path].append(match)
            masked += max(1, len(match.spans))
    pieces: list[str] = []
    size = 0
    for part in content.parts:
        if size >= EXCERPT_CHARS:
            break
        text = redact_text(part.text, tuple(by_path[part.path])) if part.path in by_path else part.text
        pieces.append(text[:_READ_CHARS])
        size += len(text) + 1
    return "\n".join(pieces)[:EXCERPT_CHARS], masked
