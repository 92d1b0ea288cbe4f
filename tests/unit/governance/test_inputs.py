"""Sealed inputs: what comes out is what went in, for its own row alone, whatever the texts are."""

from __future__ import annotations

import os

import pytest
from axonflow_contracts.recording import InputMode
from axonflow_contracts.verdicts import Action, Phase, Severity, Verdict
from axonflow_governance.inputs import LARGEST_INPUT, InputSealer, JudgedInput
from axonflow_governance.recording import mode_of
from axonflow_policy import Content, Evaluation, Match, Part
from axonflow_sealing import CannotOpen, Sealer, SealingUnavailable
from axonflow_settings import Secret
from hypothesis import given
from hypothesis import strategies as st

SEALER = InputSealer(Sealer([Secret("ab" * 32)]))
# JSON strings may hold lone surrogates and NUL; rows of the record cannot, inputs must.
SHORT = st.text(st.characters(exclude_categories=()))
LONG = st.builds(lambda text, times: text * times, SHORT, st.integers(1, 2_000))
PARTS = st.builds(Part, SHORT, LONG, structured=st.booleans(), role=SHORT)


def judged(*parts: Part, gated: bool = True) -> JudgedInput:
    return JudgedInput(
        content=Content(parts),
        phase=Phase.RESPONSE,
        is_admin=True,
        tenant_rules=False,
        gated=gated,
        approvals_act=True,
    )


@given(st.lists(PARTS, max_size=4))
def test_what_is_opened_is_what_was_judged(parts: list[Part]) -> None:
    asked = judged(*parts)
    kept = SEALER.keep(asked, "org", "decision")
    assert kept.sealed is not None
    assert SEALER.open(kept.sealed, "org", "decision") == asked


@pytest.mark.parametrize("place", [("other-org", "decision"), ("org", "other-decision")])
def test_an_input_opens_for_its_own_organisation_and_decision_alone(place: tuple[str, str]) -> None:
    kept = SEALER.keep(judged(Part("query", "hello")), "org", "decision")
    assert kept.sealed is not None
    with pytest.raises(CannotOpen):
        SEALER.open(kept.sealed, *place)


def test_the_limit_counts_bytes_of_everything_that_is_kept() -> None:
    inside = SEALER.keep(judged(Part("q", "x" * (LARGEST_INPUT - 17))), "org", "d")
    assert (inside.omitted, inside.size_bytes) == (None, LARGEST_INPUT)
    wide = SEALER.keep(judged(Part("q", "\u00e9" * (LARGEST_INPUT // 2))), "org", "d")
    assert (wide.sealed, wide.omitted) == (None, "too_large")
    assert wide.size_bytes > LARGEST_INPUT
    many = SEALER.keep(judged(*(Part("", "") for _ in range(LARGEST_INPUT // 16 + 1))), "org", "d")
    assert many.omitted == "too_large"


def test_what_cannot_be_read_again_is_named_as_such_and_never_half_read() -> None:
    place = SEALER.keep(judged(Part("q", os.urandom(4).hex() * 4_000)), "org", "d")
    assert place.sealed is not None
    assert len(place.sealed) < 10_000  # packed: what prompts repeat costs no room
    for damaged in (place.sealed[:-1], place.sealed[:60], b""):
        with pytest.raises(CannotOpen):
            SEALER.open(damaged, "org", "d")


def test_without_a_key_the_call_goes_on_and_its_row_says_why_nothing_is_kept() -> None:
    keyless = InputSealer(Sealer([]))
    kept = keyless.keep(judged(Part("q", "hello")), "org", "d")
    assert (kept.sealed, kept.omitted) == (None, "failed")
    with pytest.raises(SealingUnavailable):
        keyless.open(b"x" * 100, "org", "d")


def test_a_report_of_a_call_is_only_masked_and_community_asks_nobody() -> None:
    match = Match(
        policy_id="p",
        name="p",
        category="custom",
        severity=Severity.HIGH,
        priority=1,
        action=Action.REQUIRE_APPROVAL,
        origin="stored",
        reason="r",
        path="q",
        spans=(),
    )
    found = Evaluation(verdict=Verdict.NEEDS_APPROVAL, matches=(match,), reason="r", policy_set_hash="h")
    assert judged(gated=False).outcome(found, approvals_act=True) is Verdict.REDACTED
    assert judged().outcome(found, approvals_act=False) is Verdict.ALLOWED
    assert judged().outcome(found, approvals_act=True) is Verdict.NEEDS_APPROVAL


@pytest.mark.parametrize(
    ("asked", "ceiling", "mode"),
    [
        ({}, "sealed", "sealed"),
        ({("o", "t"): "off"}, "sealed", "off"),
        ({("o", "t"): "sealed"}, "redacted", "redacted"),
        ({("o", ""): "off"}, "sealed", "off"),
        ({("o", ""): "off", ("o", "t"): "sealed"}, "sealed", "sealed"),
        ({("o", "other"): "off", ("p", "t"): "off"}, "sealed", "sealed"),
    ],
)
def test_the_tenants_word_comes_before_its_organisations_and_neither_goes_above_the_operators(
    asked: dict[tuple[str, str], str], ceiling: str, mode: str
) -> None:
    held = {whose: InputMode(word) for whose, word in asked.items()}
    assert mode_of(held, "o", "t", InputMode(ceiling)) == mode
