"""Tells an order to the model from a sentence about orders."""

from __future__ import annotations

import re

from axonflow_policy.validators.found import Found

_WINDOW = 160
_REPORTED = re.compile(
    r"\b(?:what|why|how|explain\w*|describe\w*|detect\w*|prevent\w*|phrases?|sentence|example|called|attacks? (?:like|such as)"
    r"|prompts? (?:like|such as)|says?|means?|wrote|write about)\b[^\n.!?]*[\"'`(]\s*$",
    re.IGNORECASE,
)


def override(found: Found) -> bool:
    """An order, not a quotation of one inside a question."""
    return _REPORTED.search(found.before(_WINDOW)) is None
