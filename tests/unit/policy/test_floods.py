"""A flood of matches, or of what only looks like one, costs a bounded time and is never let through unseen."""

from __future__ import annotations

import pytest
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_policy import Content, PolicySet, confirming, redact_text


@pytest.fixture
def judged(catalogue_set: PolicySet) -> PolicySet:
    return catalogue_set


def spans_of(judged: PolicySet, text: str, policy_id: str) -> list[tuple[int, int]]:
    evaluation = judged.evaluate(Content.of(text), Phase.REQUEST)
    return [span for match in evaluation.matches if match.policy_id == policy_id for span in match.spans]


def test_matches_are_told_apart_up_to_a_bound_and_the_rest_is_one_span(judged: PolicySet):
    text = "123-45-6789 and " * 3_000
    spans = spans_of(judged, text, "sys_pii_ssn")
    assert len(spans) < 1_100
    assert spans[-1][1] == len(text)


def test_nothing_of_a_flood_survives_redaction(judged: PolicySet):
    text = "start 123-45-6789 end, " * 3_000
    evaluation = judged.evaluate(Content.of(text), Phase.REQUEST)
    masked = redact_text(text, evaluation.matches)
    assert "123-45" not in masked
    assert masked.startswith("start XXX-XX-6789 end, ")


def test_what_was_not_looked_at_counts_as_found(judged: PolicySet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(confirming, "_MOST_REJECTED", 500)
    few = "4111 1111 1111 1112, " * 100
    flood = "4111 1111 1111 1112, " * 1_000
    assert judged.evaluate(Content.of(few), Phase.REQUEST).verdict is Verdict.ALLOWED
    assert judged.evaluate(Content.of(flood), Phase.REQUEST).verdict is Verdict.BLOCKED


def test_a_real_number_behind_a_flood_is_not_hidden_by_it(judged: PolicySet):
    text = "10.0.0.1 " * 5_000 + " card 4111 1111 1111 1111"
    evaluation = judged.evaluate(Content.of(text), Phase.REQUEST)
    assert "sys_pii_credit_card" in {match.policy_id for match in evaluation.matches}
    assert evaluation.verdict is Verdict.BLOCKED


@pytest.mark.parametrize("piece", ["10.0.0.1 ", "+1 415-555-2671 ", "\u00e9 123-45-6789 ", "4111 1111 1111 1111 "])
def test_spans_stay_inside_the_text(judged: PolicySet, piece):
    text = piece * 3_000
    for match in judged.evaluate(Content.of(text), Phase.REQUEST).matches:
        assert all(0 <= start < end <= len(text) for start, end in match.spans)
