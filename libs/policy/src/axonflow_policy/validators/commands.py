"""Tells a command that is given from one that is asked about."""

from __future__ import annotations

import re

from axonflow_policy.validators.found import Found

_WINDOW = 160
_HIGHEST_PORT = 65535
_ASKED = re.compile(
    r"\b(?:what|why|explain\w*|describe\w*|difference|mean\w*|risky?|dangerous|safe|unsafe|avoid|never|instead of|prevent)\b"
    r"[^\n]*$",
    re.IGNORECASE,
)
_ORDERED = re.compile(r"\b(?:run|execute|type|paste|launch)\b", re.IGNORECASE)


def shell_command(found: Found) -> bool:
    """A command, unless the same sentence only asks what it means or warns of it."""
    sentence = re.split(r"\n|[.!?:]\s", found.before(_WINDOW))[-1]
    return not _ASKED.search(sentence) or _ORDERED.search(sentence) is not None


def local_request(found: Found) -> bool:
    """A request to a port of this machine that exists."""
    return int(found.value.rpartition(":")[2]) <= _HIGHEST_PORT
