"""Tells a call in code from a call that a sentence or a comment names."""

from __future__ import annotations

import re

from axonflow_policy.validators.found import Found

_WINDOW = 300
_COMMENT = re.compile(r"^\s*(?:#|//|\*|/\*|--|<!--|;)")
_KEYWORDS = re.compile(
    r"\b(?:if|elif|else|for|while|in|is|not|and|or|return|yield|await|async|with|as|lambda|def|class|const|let|var|new"
    r"|function|try|except|finally|raise|throw|throws|public|private|protected|static|final|void|String|int|case|import"
    r"|from|assert|print|export|default|typeof|True|False|None|true|false|null)\b"
)
_STRING = re.compile(r"\"[^\"]*\"|'[^']*'")
_PROSE = re.compile(r"[A-Za-z][a-z]+,? [A-Za-z][a-z]+ [A-Za-z]")
_SENTENCE = re.compile(r"^\W*[A-Z][a-z]+ [a-z][\w.]* (?:[\w.]+ )*$")
_PROSE_BEHIND = re.compile(
    r"^[^\n(]{0,40}\)?[`\"']?\s+(?:is|are|was|should|can|may|must|will|on|with untrusted)\s+[a-z]"
)


def code_call(found: Found) -> bool:
    """A call on a line of code: not in a comment, not in back quotes or parentheses of a sentence."""
    lead = found.before(_WINDOW)
    line = lead[lead.rfind("\n") + 1 :]
    if _COMMENT.match(line) or line.count("`") % 2 == 1 or _SENTENCE.match(line):
        return False
    bare = _KEYWORDS.sub("", _STRING.sub("", line))
    return _PROSE.search(bare) is None and _PROSE_BEHIND.match(found.after(_WINDOW)) is None


def yaml_load(found: Found) -> bool:
    """A load that is not given one of the safe loaders before the call ends."""
    if "_load" not in found.value:
        call = found.after(_WINDOW).split("yaml.load", 1)[0]
        if re.search(r"\bC?(?:Safe|Base)Loader\b", call):
            return False
    return code_call(found)
