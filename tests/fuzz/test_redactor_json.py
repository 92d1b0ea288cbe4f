"""Redaction of JSON: the shape stays, what is outside the findings too, and what is reversible comes back."""

from __future__ import annotations

import base64
import json

from axonflow_contracts.verdicts import Action, Phase, Severity
from axonflow_policy import Content, Match, Part, PolicySet, redact_content, redact_reversibly
from axonflow_policy.json_redaction import json_edits
from axonflow_policy.masks import edited, masked, pieces_of
from hypothesis import given
from hypothesis import strategies as st
from support.identifiers import ANY_IDENTIFIER

from fuzz.budget import budget

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ['"', "\\", "\\u0031", "<US_SSN_1>", "<EMAIL_1>", "{", "[1]", "🙂", "ssn ", "\n"]
)
TEXTS = st.lists(ANY_IDENTIFIER | WORDS, max_size=4).map(" ".join)
NUMBERS = st.sampled_from([4111111111111111, 587293018461, 3174052811900003, 1e3, -1, 0.5])
TREES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3) | inner.map(json.dumps),
    max_leaves=6,
)


def shape(value: object) -> object:
    """The tree without its leaves; JSON in a string counts as a string."""
    if isinstance(value, dict):
        return [shape(inner) for inner in value.values()]
    return [shape(inner) for inner in value] if isinstance(value, list) else None


def findings(policy_set: PolicySet, content: Content) -> list[Match]:
    evaluation = policy_set.evaluate(content, Phase.RESPONSE)
    return [match for match in evaluation.matches if match.action is Action.REDACT]


def structured(tree: object, *, escaped: bool) -> Content:
    return Content((Part("arguments", json.dumps(tree, ensure_ascii=escaped), structured=True),))


@budget(120)
@given(tree=TREES, escaped=st.booleans())
def test_json_keeps_its_shape_and_is_clean_after_once(catalogue_set: PolicySet, tree: object, escaped: bool) -> None:
    content = structured(tree, escaped=escaped)
    matches = findings(catalogue_set, content)
    done = redact_content(content, matches)
    assert shape(json.loads(done.parts[0].text)) == shape(tree)
    again = findings(catalogue_set, done)
    assert {match.policy_id for match in matches}.isdisjoint(match.policy_id for match in again)


@budget(120)
@given(tree=TREES, escaped=st.booleans())
def test_what_was_made_reversible_comes_back(catalogue_set: PolicySet, tree: object, escaped: bool) -> None:
    content = structured(tree, escaped=escaped)
    done, placeholders = redact_reversibly(content, findings(catalogue_set, content))
    restored = placeholders.restore_content(done)
    assert json.loads(restored.parts[0].text) == json.loads(content.parts[0].text)


@budget(120)
@given(texts=st.lists(TEXTS, max_size=3))
def test_prose_comes_back_character_by_character(catalogue_set: PolicySet, texts: list[str]) -> None:
    content = Content(tuple(Part(f"m[{place}]", text) for place, text in enumerate(texts)))
    done, placeholders = redact_reversibly(content, findings(catalogue_set, content))
    assert placeholders.restore_content(done) == content


def match_of(start: int, size: int) -> Match:
    return Match(
        policy_id="mine", name="mine", category="custom", severity=Severity.LOW, priority=0,
        action=Action.REDACT, origin="stored", reason="", path="arguments", spans=((start, start + size),),
    )  # fmt: skip


@budget(300)
@given(
    tree=TREES,
    escaped=st.booleans(),
    matches=st.lists(st.builds(match_of, st.integers(0, 80), st.integers(1, 20)), max_size=4),
)
def test_spans_anywhere_leave_json_of_the_same_shape(tree: object, escaped: bool, matches: list[Match]) -> None:
    text = json.dumps(tree, ensure_ascii=escaped)
    pieces = pieces_of(matches)
    edits = json_edits(text, pieces, masked)
    made = edited(text, edits)
    assert shape(json.loads(made)) == shape(tree)
    position = 0
    for edit in edits:
        assert position <= edit.start <= edit.end <= len(text)
        position = edit.end
    assert edits or made == text


@budget(80)
@given(text=TEXTS, url_safe=st.booleans())
def test_a_payload_stays_a_payload(catalogue_set: PolicySet, text: str, url_safe: bool) -> None:
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    content = Content.of(encode(f"told: {text} or so".encode()).decode())
    done = redact_content(
        content, findings(catalogue_set, content), judge=lambda inner: findings(catalogue_set, inner)
    ).parts[0]
    if done != content.parts[0] and not done.text.startswith("[REDACTED:"):
        plain = base64.b64decode(done.text, altchars=b"-_" if url_safe else b"+/", validate=True).decode()
        assert plain.startswith("told: ")
        assert plain.endswith(" or so")
        assert findings(catalogue_set, Content.of(plain)) == []
