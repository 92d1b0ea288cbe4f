"""Tells an order to the model from a sentence about orders."""

from __future__ import annotations

import re

from axonflow_policy.catalogue.jailbreak_signals import GROUPS
from axonflow_policy.catalogue.prompt_role import STRONG
from axonflow_policy.validators.found import Found

_WINDOW = 160
# Jailbreaks are long; their signals stand within a paragraph or two of each other.
_NEAR = 500
_ENOUGH_SIGNALS = 4
_SIGNALS = tuple(re.compile(group, re.IGNORECASE) for group in GROUPS)
_STRONG_ROLE = re.compile(STRONG)
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
# A claim to have made the model, or a wish for an answer in code, says nothing by itself: "I am your developer".
_HARMLESS_ALONE = re.compile(
    r"i\s+am\s+your\s|(?:as|am)\s+(?:an?\s+)?(?:openai|anthropic|google)\s"
    r"|(?:your|the\s+(?:whole|entire))\s+(?:\w+\s+)?(?:answer|response|reply|output|message)|us(?:e|ing)\s+(?:base|rot|morse)",
    re.IGNORECASE,
)
_OF_THE_MODEL = re.compile(
    r"\b(?:prompts?|instruct\w*|rules?|restrict\w*|filters?|guidelines?|safety|safeguards?|polic(?:y|ies)|secrets?|passwords?"
    r"|hidden|confidential|reveal|disclose|leak|bypass|overrid\w+|unlock|disable|debug|maintenance|mode|system|previous|above"
    r"|jailbreak|obey|told|context|ignore|forget|nobody|no\s+one|notice\w*|detect\w*|moderat\w*|censor\w*|monitor\w*|authori[sz]\w*|permission)\b",
    re.IGNORECASE,
)
# What somebody must not do, or was told to do, is no order to the model.
_NOT_ORDERED = re.compile(
    r"(?<!why )\b(?:do not|don'?t|(?:must|should|may|shall|can|will) (?:not|never)|cannot|never)\s*$"
    r"|\b(?:him|her|them|us|(?:be|was|were|are|is) (?:told|asked|advised)) to\s*$",
    re.IGNORECASE,
)


def override(found: Found) -> bool:
    """An order, not a quotation of one inside a question, and not one about the rules of something else."""
    if not _is_order(found):
        return False
    return _STRONG.search(found.value) is not None or _ABOUT_SOMETHING.match(found.after(_WINDOW)) is None


def role(found: Found) -> bool:
    """An order to become somebody without rules, not a quotation of one; or a text that has the signals of several.

    Words that jailbreaks share count where three of their groups stand near each other.
    """
    value = found.value
    if value[-3:].lower() == "now" and found.after(5).lower() == " that":
        return False
    if _STRONG_ROLE.match(value) is None:
        return _has_several_signals(found)
    return _is_order(found) and not _is_harmless(found)


def demand(found: Found) -> bool:
    """A demand that is made, not quoted inside a question; for an answer in code, one that has to do with the model."""
    return _is_order(found) and not _is_harmless(found)


def _is_order(found: Found) -> bool:
    before = found.before(_WINDOW)
    return _REPORTED.search(before) is None and _NOT_ORDERED.search(before) is None


def _is_harmless(found: Found) -> bool:
    if _HARMLESS_ALONE.match(found.value) is None:
        return False
    return _OF_THE_MODEL.search(f"{found.before(_NEAR)} {found.after(_NEAR)}") is None


def _has_several_signals(found: Found) -> bool:
    near = found.before(_NEAR) + found.value + found.after(_NEAR)
    return sum(signal.search(near) is not None for signal in _SIGNALS) >= _ENOUGH_SIGNALS


def marker(found: Found) -> bool:
    """A delimiter that is used, not one that is asked about."""
    sentence = re.split(r"\n|[.!?]\s", found.before(_WINDOW))[-1]
    return _ASKED.search(sentence) is None
