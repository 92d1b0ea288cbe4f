"""What models of the Claude families take, told from their names, as Anthropic, Bedrock and others spell them."""

from __future__ import annotations

import re

# claude-instant-1.2, claude-v2:1, claude-3-5-sonnet-20241022
_EARLY = re.compile(r"claude-(?:instant|v?[123](?![0-9]))")
# claude-opus-4-20250514 (a date is no minor number), claude-sonnet-4-5@20250929, claude-haiku-5-5
_NUMBERED = re.compile(r"claude-[a-z]+-([0-9]{1,2})(?![0-9])(?:[-.]([0-9]{1,2})(?![0-9]))?")
# Later ones think by themselves: Anthropic's API answers 400 to a temperature, and to a tool that must be called.
_LAST_PLAIN = (4, 6)


def is_claude(model: str) -> bool:
    """Whether the name is one of a Claude model."""
    return "claude" in model.lower()


def is_plain(model: str) -> bool:
    """Whether the model takes sampling parameters and can be made to call a tool: up to Claude 4.6.

    Source: "API parameter deprecations" and "Tool use: forcing tool use" of Anthropic's documentation. A name without
    a number that is known is taken for a later model, which is right for all new ones, and harmless for old ones.
    """
    name = model.lower()
    if _EARLY.search(name):
        return True
    found = _NUMBERED.search(name)
    return found is not None and (int(found[1]), int(found[2] or 0)) <= _LAST_PLAIN
