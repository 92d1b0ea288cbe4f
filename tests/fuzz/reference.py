"""The policy engine once more, slow and obvious: Python's `re` row by row, every rule in the contract's order.

Its own work: actions, overrides, folding and the way back, searching, ranking, the verdict. Taken as given from the
product: validators, what a single character looks like (`bare`), and the decoded readings with their way back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from axonflow_contracts.posture import Lever, Posture, Profile
from axonflow_contracts.verdicts import Action, Phase, Verdict
from axonflow_policy import Content, Match, Part, Policy, PolicyOverride
from axonflow_policy.folding import bare
from axonflow_policy.validators import VALIDATORS, Found
from axonflow_policy.validators.adjacent import one_begins_after
from axonflow_policy.views import readings

Span = tuple[int, int]

STRONGEST_FIRST = [Action.BLOCK, Action.REQUIRE_APPROVAL, Action.REDACT, Action.WARN, Action.LOG]
SHOWN_OF_WHAT_IS_NOT_MASKED = 16
SHORTER_TRIES = 4
END = r"\z"


class Judgement(NamedTuple):
    """What an evaluation must come to."""

    verdict: Verdict
    reason: str
    matches: tuple[Match, ...]


def judge(
    policies: Sequence[Policy],
    posture: Posture,
    overrides: Mapping[str, PolicyOverride],
    content: Content,
    phase: Phase,
    *,
    is_admin: bool,
) -> Judgement:
    """Judge ``content`` the long way."""
    matches: list[Match] = []
    for policy in policies:
        action, origin = action_of(policy, overrides.get(policy.id), posture, phase)
        if action is None:
            continue
        if is_admin and policy.category == "security-admin":
            continue
        for part in content.parts:
            spans = spans_in(policy, is_masked(policy, action), part.text)
            if spans:
                matches.append(match_of(policy, action, origin, part, spans))
    matches.sort(key=lambda m: (STRONGEST_FIRST.index(m.action), -m.priority, m.policy_id, m.path, m.spans))
    if not matches:
        return Judgement(Verdict.ALLOWED, "", ())
    deciding = matches[0]
    if deciding.action is Action.BLOCK:
        verdict = Verdict.BLOCKED
    elif deciding.action is Action.REQUIRE_APPROVAL:
        verdict = Verdict.NEEDS_APPROVAL
    elif deciding.action is Action.REDACT:
        verdict = Verdict.REDACTED
    else:
        return Judgement(Verdict.ALLOWED, "", tuple(matches))
    return Judgement(verdict, deciding.reason, tuple(matches))


# --- actions (contract, agent section 3.2) ---


def action_of(
    policy: Policy, override: PolicyOverride | None, posture: Posture, phase: Phase
) -> tuple[Action | None, str]:
    """The action of ``policy`` and its origin; no action where it is not judged."""
    enabled, switched_on, new_action = policy.enabled, False, None
    if override is not None:
        switched_on = override.enabled is True and not policy.enabled
        enabled = policy.enabled if override.enabled is None else override.enabled
        new_action = override.action
    judged_here = policy.phases.value in ("both", phase.value)
    if not enabled or not judged_here or policy.category in posture.skip_categories:
        return None, ""
    if override is not None and new_action is not None:
        return new_action, f"override:{override.id}"
    action, origin = action_without_override(policy, posture, phase)
    if override is not None and switched_on:
        origin = f"override:{override.id}"
    return action, origin


def action_without_override(  # noqa: PLR0911 # the contract's list, one return an entry
    policy: Policy, posture: Posture, phase: Phase
) -> tuple[Action, str]:
    """Mode lever, global lever, enforce list, profile, the phase's stored action, the stored action."""
    lever = policy.lever
    if lever is not None:
        if lever in posture.mode_levers:
            return posture.mode_levers[lever], f"env:{posture.mode}_{VARIABLES[lever]}"
        if lever in posture.global_levers:
            return posture.global_levers[lever], f"env:{VARIABLES[lever]}"
        if lever in posture.enforce:
            return Action.BLOCK, f"enforce:{lever.value}"
        if posture.profile is not Profile.DEFAULT:
            return PROFILES[posture.profile](lever), f"profile:{posture.profile.value}"
    if phase is Phase.REQUEST and policy.action_request is not None:
        return policy.action_request, "stored"
    if phase is Phase.RESPONSE and policy.action_response is not None:
        return policy.action_response, "stored"
    return policy.action, "stored"


VARIABLES = {
    Lever.PII: "PII_ACTION",
    Lever.SQLI: "SQLI_ACTION",
    Lever.SENSITIVE_DATA: "SENSITIVE_DATA_ACTION",
    Lever.HIGH_RISK: "HIGH_RISK_ACTION",
    Lever.DANGEROUS_QUERIES: "DANGEROUS_QUERY_ACTION",
    Lever.DANGEROUS_COMMANDS: "DANGEROUS_COMMAND_ACTION",
}
PROFILES: dict[Profile, Callable[[Lever], Action]] = {
    Profile.DEV: lambda lever: Action.WARN if lever.value.startswith("dangerous") else Action.LOG,
    Profile.STRICT: lambda lever: Action.WARN if lever is Lever.HIGH_RISK else Action.BLOCK,
    Profile.COMPLIANCE: lambda _: Action.BLOCK,
}


# --- readings of a text: bytes to search, and for each byte the character that it belongs to ---


class Reading(NamedTuple):
    """Bytes to search, cut in pieces that no finding reaches across, and the way back to the text."""

    data: bytes
    pieces: list[Span]
    back: Callable[[Span], Span]


def readings_of(text: str) -> Iterator[Reading]:
    """As it stands, without disguise, decoded."""
    plain = character_by_character(text, folded)
    yield plain
    known = 1
    undisguised = character_by_character(text, bare)
    if not text.isascii() and undisguised.data != plain.data:
        yield undisguised
        known = 2
    for view in list(readings(text))[known:]:
        pieces = pieces_of(view.data) if view.fenced else [(0, len(view.data))]
        yield Reading(view.data, pieces, lambda span, view=view: view.back([span])[0])  # type: ignore[misc]


def character_by_character(text: str, made_of: Callable[[str], str]) -> Reading:
    """Every byte remembers the one character that it was made of."""
    data = b""
    owners: list[int] = []
    for place, character in enumerate(text):
        made = made_of(character).encode("utf-8")
        data += made
        owners += [place] * len(made)
    return Reading(data, [(0, len(data))], lambda span: (owners[span[0]], owners[span[1] - 1] + 1))


def folded(character: str) -> str:
    """Compatibility forms as the usual ones, any space as a space, typographic marks as the typewriter's."""
    if character.isascii():
        return character
    if character in "\u2018\u2019\u201a\u201b\u2032":
        return "'"
    if character in "\u201c\u201d\u201e\u201f\u2033":
        return '"'
    if character in "\u2010\u2011\u2012\u2013\u2014\u2212":
        return "-"
    if character.isspace():
        return " "
    return unicodedata.normalize("NFKC", character)


def pieces_of(data: bytes) -> list[Span]:
    """What stands between NUL bytes."""
    return [found.span() for found in re.finditer(rb"[^\0]+", data)]


# --- searching ---


def spans_in(policy: Policy, masked: bool, text: str) -> tuple[Span, ...]:
    """All places in ``text`` where ``policy`` is confirmed, or some if nothing is masked for it."""
    spans: list[Span] = []
    for reading in readings_of(text):
        if spans and not masked:
            break  # one reading has shown it
        found = confirmed(policy, reading, masked=masked)
        spans += [reading.back(span) for span in found]
    return tuple(without_overlap(spans))


def confirmed(policy: Policy, reading: Reading, *, masked: bool) -> list[Span]:
    """Places where the pattern matches and the validator agrees, from left to right."""
    spans: list[Span] = []
    for begin, end in reading.pieces:
        position = begin
        while (found := search(policy.pattern, reading.data, position, end)) is not None:
            accepted = None
            tried = [found, *(shorter(policy, reading.data, found) if masked else ())]
            for candidate in tried:
                if agrees(policy, reading.data, span_of(candidate)):
                    accepted = candidate
                    break
            if accepted is not None:
                spans.append(span_of(accepted))
                position = after_accepted(policy, reading.data, accepted) if masked else accepted.end()
            else:
                position = after_rejected(reading.data, tried[-1]) if masked else found.end()
    return spans if masked else spans[:SHOWN_OF_WHAT_IS_NOT_MASKED]


def search(pattern: str, data: bytes, begin: int, end: int) -> re.Match[bytes] | None:
    """The leftmost match between two places; a match of nothing is none, and the end of a piece is no end of a text."""
    if pattern.endswith(END):
        if end < len(data):
            return None
        pattern = pattern.removesuffix(END) + r"\Z"
    compiled = re.compile(pattern.encode("ascii"))
    for position in range(begin, end):
        found = compiled.search(data, position, end)
        if found is None or found.start() < found.end():
            return found
    return None


def span_of(found: re.Match[bytes]) -> Span:
    """The first group that holds something, else the whole."""
    for group in range(1, found.re.groups + 1):
        if found.start(group) < found.end(group):
            return found.span(group)
    return found.span()


def shorter(policy: Policy, data: bytes, found: re.Match[bytes]) -> Iterator[re.Match[bytes]]:
    """What is left of a match when its last word is taken away, and another one."""
    for _ in range(SHORTER_TRIES):
        start, end = span_of(found)
        space = data.rfind(b" ", start + 1, end)
        left = search(policy.pattern, data, found.start(), space) if space >= 0 else None
        if left is None:
            return
        found = left
        yield found


def agrees(policy: Policy, data: bytes, span: Span) -> bool:
    """Whether the policy's validator, if it has one, confirms."""
    return policy.validator is None or VALIDATORS[policy.validator](Found(data.decode("latin-1"), *span))


def after_accepted(policy: Policy, data: bytes, found: re.Match[bytes]) -> int:
    """Where to search on: behind it, or at its second word where digits follow that are no identifier themselves."""
    text = data.decode("latin-1")
    start, end = span_of(found)
    if policy.validator is None or re.match(r" [0-9]", text[end:]) is None or " " not in text[start:end]:
        return found.end()
    if one_begins_after(Found(text, start, end)):
        return found.end()
    return text.index(" ", start, end) + 1


def after_rejected(data: bytes, found: re.Match[bytes]) -> int:
    """Where to search on: at the second word of what was rejected, else behind it."""
    space = data.find(b" ", found.start() + 1, found.end())
    return found.end() if space < 0 else space + 1


# --- what a match says ---


def is_masked(policy: Policy, action: Action) -> bool:
    """Personal data and secrets are hidden in records whatever their action."""
    return action is Action.REDACT or policy.category.startswith(("pii-", "code-secrets", "sensitive-data"))


def without_overlap(spans: list[Span]) -> list[Span]:
    """In order; what shares a character is one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def match_of(policy: Policy, action: Action, origin: str, part: Part, spans: tuple[Span, ...]) -> Match:
    """The match as the engine must tell it."""
    return Match(
        policy_id=policy.id, name=policy.name, category=policy.category, severity=policy.severity,
        priority=policy.priority, action=action, origin=origin, reason=policy.reason, path=part.path, spans=spans,
    )  # fmt: skip
