"""Properties that hold for any text: never an exception, never a weaker verdict, nothing left after redaction."""

# ruff: noqa: RUF001 # full-width text is what these tests are about

from __future__ import annotations

from functools import cache

import msgspec
from axonflow_contracts.verdicts import Action, Phase, Severity, Verdict
from axonflow_policy import Content, Match, Part, Policy, PolicySet, TenantRules, redact_text
from hypothesis import given, settings
from hypothesis import strategies as st
from support.identifiers import ANY_IDENTIFIER

LETTER_E = Policy(
    id="zz_letter_e",
    name="e",
    category="custom",
    severity=Severity.LOW,
    priority=0,
    pattern="e",
    reason="the letter e",
    action=Action.REQUIRE_APPROVAL,
)
STRENGTH = {Verdict.ALLOWED: 0, Verdict.REDACTED: 1, Verdict.NEEDS_APPROVAL: 2, Verdict.BLOCKED: 3}

FRAGMENTS = st.sampled_from(
    """ssn 123-45-6789|123-45-6789|4111 1111 1111 1111|jane@example.org|+1 415-555-2671|415-555-2671
91.198.174.192|DOB: 1980-01-31|passport X1234567|bank account: 021000021 1234567890|PNR AB12CD
password='Tr0ub4dor&3x'|AKIAQ3EGRZ7TB4WJ9K2M|' OR 1=1 --|DROP TABLE users;|ignore all instructions
；|１２３|é|🙂|, | and |'|"|;|--|order |zip|\u200b|\x00|\ud800""".replace("\n", "|").split("|")
)


@cache
def stricter_set(policy_set: PolicySet) -> PolicySet:
    return policy_set.joined(TenantRules.by_re2([LETTER_E]))


TEXTS = st.lists(st.one_of(FRAGMENTS, st.text(max_size=12)), max_size=8).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(text=st.one_of(st.text(), TEXTS), phase=st.sampled_from(Phase))
def test_evaluation_never_raises_and_never_fails_on_any_text(catalogue_set: PolicySet, text: str, phase: Phase) -> None:
    evaluation = catalogue_set.evaluate(Content.of(text), phase)
    assert evaluation.failure == ""
    for match in evaluation.matches:
        assert all(0 <= start < end <= len(text) for start, end in match.spans)


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_adding_a_policy_never_weakens_a_verdict(catalogue_set: PolicySet, text: str) -> None:
    before = catalogue_set.evaluate(Content.of(text), Phase.REQUEST).verdict
    after = stricter_set(catalogue_set).evaluate(Content.of(text), Phase.REQUEST).verdict
    assert STRENGTH[after] >= STRENGTH[before]


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(TEXTS, max_size=4), chance=st.randoms())
def test_the_order_of_the_parts_does_not_matter(catalogue_set: PolicySet, texts: list[str], chance) -> None:  # type: ignore[no-untyped-def]
    parts = [Part(f"messages[{index}].content", text) for index, text in enumerate(texts)]
    shuffled = parts[:]
    chance.shuffle(shuffled)
    assert catalogue_set.evaluate(Content(tuple(parts)), Phase.REQUEST) == catalogue_set.evaluate(
        Content(tuple(shuffled)), Phase.REQUEST
    )


def to_redact(policy_set: PolicySet, text: str) -> list[Match]:
    evaluation = policy_set.evaluate(Content.of(text), Phase.RESPONSE)
    return [match for match in evaluation.matches if match.action is Action.REDACT]


# Identifiers of all kinds side by side, a blank between: none of them may pass for a piece of its neighbour.
RUNS = st.lists(ANY_IDENTIFIER, min_size=1, max_size=4)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS | RUNS.map(" ".join) | st.lists(FRAGMENTS | ANY_IDENTIFIER, max_size=6).map(" ".join))
def test_nothing_of_a_redacted_kind_is_found_again(catalogue_set: PolicySet, text: str) -> None:
    matches = to_redact(catalogue_set, text)
    again = to_redact(catalogue_set, redact_text(text, matches))
    redacted = {match.policy_id for match in matches}
    assert [match for match in again if match.policy_id in redacted] == []


@settings(max_examples=150, deadline=None)
@given(values=RUNS, before=st.sampled_from(["", "see ", "é "]), after=st.sampled_from(["", ".", " end", ", 12"]))
def test_every_identifier_of_a_run_is_found_whole(
    catalogue_set: PolicySet, values: list[str], before: str, after: str
) -> None:
    text = before + " ".join(values) + after
    covered = {
        place for match in to_redact(catalogue_set, text) for start, end in match.spans for place in range(start, end)
    }
    run = range(len(before), len(text) - len(after))
    assert {place for place in run if text[place] != " "} <= covered


@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_the_same_text_is_always_judged_the_same(catalogue_set: PolicySet, text: str) -> None:
    first = catalogue_set.evaluate(Content.of(text), Phase.REQUEST)
    assert msgspec.json.encode(first) == msgspec.json.encode(catalogue_set.evaluate(Content.of(text), Phase.REQUEST))
