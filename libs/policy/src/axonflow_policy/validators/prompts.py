"""Tells an order to the model from a sentence about orders."""

from __future__ import annotations

import re

from axonflow_policy.validators.found import Found

_WINDOW = 160
_REPORTED = re.compile(
    r"\b(?:what|why|how|explain\w*|describe\w*|detect\w*|prevent\w*|phrases?|sentence|example|called|says?|means?|wrote"
    r"|attacks? (?:like|such as)|prompts? (?:like|such as)|write about)\b[^\n.!?]*[\"'`(]\s*$",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"^\W*(?:what|why|how|when|which|where|is|are|does|do|can|should)\b|\b(?:explain\w*|describe\w*|meaning|means?|tokens?"
    r"|tokeni[sz]\w*|templates?|formats?|syntax|pars(?:e|er|ing)|regex|difference|example)\b",
    re.IGNORECASE,
)
# ``ignore all rules in .gitignore`` is about the file, ``ignore all rules`` about the model.
_ABOUT_SOMETHING = re.compile(
    r"\s+(?:in|from|for|on|that|marked|with|where|which|about|of|by)\s+(?:\S+\s+)?(?!.{0,30}(?:above|before|previous|openai|prompt))",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"previous|prior|above|earlier|preceding|initial|original|system|foregoing|before|your|the user|told|you know|new",
    re.IGNORECASE,
)


def override(found: Found) -> bool:
    """An order, not a quotation of one inside a question, and not one about the rules of something else."""
    if _REPORTED.search(found.before(_WINDOW)):
        return False
    return _STRONG.search(found.value) is not None or _ABOUT_SOMETHING.match(found.after(_WINDOW)) is None


def role(found: Found) -> bool:
    """An order, not a quotation of one inside a question; "can do anything now that" is none."""
    if found.value[-3:].lower() == "now" and found.after(5).lower() == " that":
        return False
    return _REPORTED.search(found.before(_WINDOW)) is None


def marker(found: Found) -> bool:
    """A delimiter that is used, not one that is asked about."""
    sentence = re.split(r"\n|[.!?]\s", found.before(_WINDOW))[-1]
    return _ASKED.search(sentence) is None
