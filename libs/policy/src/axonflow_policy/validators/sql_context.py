"""Where a piece of SQL stands: its line, its sentence, and whether that sentence runs it or asks about it.

Everything looks only at the neighbourhood of a match, so that its cost does not grow with the text.
"""

from __future__ import annotations

import re

from axonflow_policy.validators.found import Found

WINDOW = 300

CLOSE = 80

SENTENCE = re.compile(r"\n|[.!?]\s")

ASKED = re.compile(
    r"^\W*(?:(?:so|and|but|please|hey|hi|ok|okay)\W+)?(?:what|what's|whats|how|why|when|which|where|does|do|is|are"
    r"|(?:can|could|should|would|will)(?! you\b)|tell me|show me how)\b"
    r"|\b(?:explain\w*|describe\w*|difference|meaning|means?|define|understand\w*|teach\w*|tutorials?|document\w*|syntax"
    r"|compare\w*|discuss\w*|what (?:is|does|are|do)|how (?:do|does|to|is|can)|why (?:do|does|is)|when to)\b",
    re.IGNORECASE,
)

QUOTES = "'\"`"

VERB_START = re.compile(
    r"^\W*(?:select|insert|update|delete|create|alter|drop|with|begin|declare|set|use|truncate|grant|revoke|merge|commit"
    r"|explain|call|exec(?:ute)?|start|show|replace|pragma|go|if|return|end|values|comment|analyze|vacuum|copy)\b",
    re.IGNORECASE,
)


def line_lead(found: Found) -> str:
    """The text between the last line break or semicolon and the match."""
    lead = found.before(WINDOW)
    return lead[max(lead.rfind("\n"), lead.rfind(";")) + 1 :]


def sentence_lead(found: Found) -> str:
    """The text of the sentence before the match."""
    return SENTENCE.split(found.before(WINDOW))[-1]


def odd_quotes(text: str) -> bool:
    """Whether a quote is open at the end of ``text``; apostrophes inside words do not count."""
    bare = re.sub(r"(?<=[A-Za-z])'(?=[A-Za-z])|\\['\"]|''", "", text)
    return bare.count("'") % 2 == 1 or bare.count('"') % 2 == 1


def explained(found: Found) -> bool:
    """A quoted statement inside a question or an explanation that orders nothing to be run."""
    head = sentence_lead(found).rstrip()[:-1]
    return ASKED.search(head) is not None and not re.search(r"\b(?:run|execute|perform)\b", head, re.IGNORECASE)


def quoted_in_explanation(found: Found) -> bool:
    """A fragment in quotes of its own inside such a sentence."""
    lead = found.before(CLOSE).rstrip()
    return len(lead) > 1 and lead[-1] in QUOTES and lead[-2] == " " and explained(found)
