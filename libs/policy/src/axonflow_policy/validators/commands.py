"""Tells a command that is given from one that is asked about."""

from __future__ import annotations

import re

from axonflow_policy.validators.found import Found

_WINDOW = 160
_HIGHEST_PORT = 65535
_ASKED = re.compile(
    r"^\W*(?:is|are|does|do|can|should|would|could|which)\b"
    r"|\b(?:what|why|how (?:do|does|to|can|is)|explain\w*|describe\w*|difference|mean\w*|risky?|dangerous|safe|unsafe"
    r"|avoid|never|instead of|prevent|tutorial|document\w*)\b[^\n]*$",
    re.IGNORECASE,
)
_ORDERED = re.compile(r"\b(?:run|execute|type|paste|launch)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"\n|[.!?:]\s")
# Where a relative path is the ordinary way to name a neighbour.
_RELATIVE = re.compile(
    r"(?:\b(?:import|from|require|include|extends|path|url|src|href|cd|ls|pushd)\b\W{0,4}|@import\s*[\"'])$",
    re.IGNORECASE,
)
# What may stand before the verb of a request that is made rather than told of.
_OPENING = re.compile(
    r"(?:^|[\n`$\"'(;|&{\[:=]|[.!?]|\b(?:please|then|now|to|run|execute|exec|sudo|can you|could you|tool|command))\s*$",
    re.IGNORECASE,
)


def _sentence_lead(found: Found) -> str:
    return _SENTENCE.split(found.before(_WINDOW))[-1]


def shell_command(found: Found) -> bool:
    """A command, unless the same sentence only asks what it means or warns of it."""
    sentence = _sentence_lead(found)
    return not _ASKED.search(sentence) or _ORDERED.search(sentence) is not None


def credential_file(found: Found) -> bool:
    """A command on a file of secrets; the public half of a key is none."""
    return not found.after(4).startswith(".pub") and shell_command(found)


def path_traversal(found: Found) -> bool:
    """Steps to a parent that end in a file of the system, or that no import, link or change of directory takes."""
    if not shell_command(found):
        return False
    if not found.value.startswith(("../", "..\\")):
        return True
    secret = re.match(
        r"(?:etc|proc|windows|winnt|boot|root|home|var|usr|users|dev|sys)\b", found.after(10), re.IGNORECASE
    )
    return secret is not None or _RELATIVE.search(found.before(_WINDOW)) is None


def local_request(found: Found) -> bool:
    """A request to a port of this machine that is ordered; "when I open localhost:3000" only tells of one."""
    if int(found.value.rpartition(":")[2]) > _HIGHEST_PORT:
        return False
    if _COMPLAINT.search(found.after(_WINDOW).split("\n")[0]):
        return False
    lead = _VERB_AT_END.search(found.before(_WINDOW))
    return lead is not None and _OPENING.search(lead[1]) is not None


_COMPLAINT = re.compile(
    r"\?|\b(?:returns?|gives?|fails?|failed|errors?|why|refused|hangs?|times? out|works?|not found|[45]\d\d"
    r"|to (?:see|view)|in (?:your|the|a|my) browser)\b",
    re.IGNORECASE,
)
_VERB_AT_END = re.compile(
    r"^(.*?)\b(?:curl|wget|https?|httpie|nc|ncat|netcat|telnet|nmap|socat|Invoke-WebRequest|iwr|GET|POST|PUT|DELETE"
    r"|requests\.\w+|urlopen|httpx\.\w+|fetch|open|access|visit|browse|query|scan|probe|retrieve|connect\s+to|call)\b"
    r"[^\n|;]{0,60}$",
    re.IGNORECASE | re.DOTALL,
)
