"""Which patterns a policy may have, and what a pattern finds; both by the engine that judges, so in linear time."""

from __future__ import annotations

import re

from axonflow_contracts.policies import PatternMatch, PatternTest
from axonflow_policy.engines import PatternRefused, regexp
from axonflow_policy.folding import fold, unfold
from axonflow_policy.lint import EVERYTHING, finds_everything

LONGEST_PATTERN = 512
MOST_GROUPS = 10
LARGEST_REPEAT = 255
MOST_SHOWN = 100  # matches told of one input

# Escaped characters and classes hold no repetition; what is left in braces is one.
_REPEAT = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}", re.DOTALL)
# Where a pattern that can match nothing does so.
_PROBES = (b"", b"a", b"0 a", b"\n", b"a-b")


class BadPattern(ValueError):
    """A pattern that no policy may have; the text says why."""


def check_pattern(pattern: str) -> None:
    """Refuse what the engine refuses, and what would match everywhere or grow too large.

    Raises:
        BadPattern: with the engine's reason where it has one.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"longer than {LONGEST_PATTERN} characters")
    if "\0" in pattern or not pattern.isascii():
        raise BadPattern("only ASCII characters other than NUL can be judged")
    counts = (int(number) for found in _REPEAT.finditer(pattern) for number in found.groups() if number)
    if any(count > LARGEST_REPEAT for count in counts):
        raise BadPattern(f"a repetition of more than {LARGEST_REPEAT}")
    try:
        compiled = regexp(pattern)
    except PatternRefused as error:
        raise BadPattern(str(error).removeprefix("the pattern is not valid: ")) from error
    if compiled.groups > MOST_GROUPS:
        raise BadPattern(f"more than {MOST_GROUPS} capture groups")
    if any(found.start() == found.end() for probe in _PROBES for found in compiled.finditer(probe)):
        raise BadPattern("it matches empty text, which is everywhere")
    if finds_everything(compiled.search):
        raise BadPattern(EVERYTHING)


def try_pattern(pattern: str, inputs: tuple[str, ...]) -> PatternTest:
    """What ``pattern`` finds in each of ``inputs``; one that no policy may have is told as not valid."""
    try:
        check_pattern(pattern)
    except BadPattern as error:
        return PatternTest(valid=False, pattern=pattern, inputs=inputs, error=f"Invalid regex pattern: {error}")
    compiled = regexp(pattern)
    results = tuple(_found(compiled, text) for text in inputs)
    return PatternTest(valid=True, pattern=pattern, inputs=inputs, results=results, matches=results)


def _found(compiled: re.Pattern[bytes], text: str) -> PatternMatch:
    data = fold(text)
    spans: list[tuple[int, int]] = []
    groups: tuple[str, ...] = ()
    for found in compiled.finditer(data):
        if not spans:
            groups = tuple((group or b"").decode("utf-8", "replace") for group in found.groups())
        spans.append(found.span())
        if len(spans) == MOST_SHOWN:
            break
    shown = tuple(text[start:end] for start, end in unfold(text, spans))
    return PatternMatch(input=text, matched=bool(spans), matches=shown, groups=groups)
