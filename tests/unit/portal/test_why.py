"""One decision in words: its sentence, its policies, what would have turned it, and the rows of its trace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from axonflow_portal.record import words
from axonflow_portal.record.timeline import moments_of
from axonflow_portal.record.views import headline
from axonflow_portal.record.why import DecisionView
from axonflow_portal.record.wire import Change, Flip, PolicyDetails, PolicyMatch
from support.portal_record import DECISION, NOW, entry, explanation, trace


def view(**fields: Any) -> DecisionView:
    return DecisionView(told=explanation(**fields), entry=entry(), trace=None, troubles=(), now=NOW)


def matches(*actions: str) -> tuple[PolicyMatch, ...]:
    return tuple(
        PolicyMatch(policy_id=f"p{place}", policy_name=f"Policy {place}", effective_action=action)
        for place, action in enumerate(actions)
    )


def test_the_sentence_names_what_decided() -> None:
    assert view().sentence == "This call was refused because SSN Detection matched."
    several = view(policy_matches=matches("warn", "block", "block"))
    assert several.sentence == "This call was refused because Policy 1 and Policy 2 matched."
    many = view(policy_matches=matches(*["block"] * 5))
    assert many.sentence == "This call was refused because Policy 0, Policy 1, Policy 2 and 2 more matched."


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"verdict": "allowed", "policy_matches": ()}, "This call went on unchanged: no policy matched."),
        (
            {"verdict": "allowed", "policy_matches": matches("warn")},
            "This call went on unchanged: 1 policy matched, which stops and changes nothing.",
        ),
        (
            {"verdict": "blocked", "policy_matches": (), "reason": "Circuit open"},
            "This call was refused: Circuit open.",
        ),
        (
            {"verdict": "redacted", "policy_matches": matches("redact")},
            "This call went on with text masked because Policy 0 matched.",
        ),
    ],
)
def test_every_verdict_has_a_sentence(fields: dict[str, Any], sentence: str) -> None:
    assert view(**fields).sentence == sentence


def test_policies_that_decided_stand_first() -> None:
    found = view(policy_matches=matches("warn", "block")).found
    assert [(each.policy.policy_id, each.decided) for each in found] == [("p1", True), ("p0", False)]


def test_all_changes_of_a_flip_are_needed_together() -> None:
    change = Change(by="policy", name="p0", policy_ids=("p0",), action="block", needed_action="warn", possible=False)
    flip = Flip(decision="blocked", would_be="redacted", changes=(change, change))
    told = view(counterfactual=flip)
    assert told.turn_intro == "The verdict would have been Redacted if all of these had been otherwise:"
    turn = told.turns[0]
    assert (turn.kind, turn.name, turn.was, turn.needed, turn.possible) == ("Policy", "", "Block", "Warn", False)


def test_the_row_that_decided_is_shown_of_several_of_one_call() -> None:
    rows = [
        ("audit_logs", msgspec.to_builtins(entry(id="a", verdict="allowed"))),
        ("audit_logs", msgspec.to_builtins(entry(id="b", verdict="blocked", query="the reply"))),
        ("audit_logs", msgspec.to_builtins(entry(id="c", decision_id="other"))),
    ]
    told = DecisionView(told=explanation(), entry=entry(), trace=trace(*rows), troubles=(), now=NOW)
    assert told.row is not None
    assert told.row.id == "b"
    assert view().row == entry()


def test_a_trace_is_told_row_by_row() -> None:
    call = {"decision": "allow", "provider": "openai", "model": "gpt-4o", "prompt_tokens": 900,
            "completion_tokens": 120, "latency_ms": 840.0, "estimated_cost_usd": "0.00345"}  # fmt: skip
    rows = moments_of(
        trace(
            ("audit_logs", msgspec.to_builtins(entry())),
            ("gateway_contexts", {"approved": False, "client_id": "teller-app"}),
            ("llm_call_audits", call),
            ("llm_call_audits", {"decision": "deny", "estimated_cost_usd": None}),
            ("a_table_of_tomorrow", {"x": 1}),
            ("audit_logs", {"not": "an entry"}),
        )
    )
    assert [each.title for each in rows] == [
        "Blocked", "Context denied", "Model call", "Model not called", "a_table_of_tomorrow", "audit_logs"]  # fmt: skip
    assert [each.after for each in rows[:3]] == ["start", "+340 ms", "+680 ms"]
    assert rows[2].detail == ("openai gpt-4o", "900 tokens in, 120 out", "840 ms", "$0.00345")
    assert rows[0].entry is not None
    assert rows[0].entry.decision_id == DECISION


def test_an_entrys_headline_is_what_matched_or_why() -> None:
    assert headline(entry()) == "SSN Detection"
    bare = PolicyDetails()
    assert headline(entry(policy_details=bare, reason="Rate limit exceeded")) == "Rate limit exceeded"
    assert headline(entry(policy_details=bare, verdict="allowed")) == "No policy matched"


def test_masks_of_an_excerpt_are_marked_after_escaping() -> None:
    told = words.excerpt("<b>XXX-XX-6789</b> ****-****-****-1234 [REDACTED:email] ***-***-0199 2*3")
    assert told.count("<mark>") == 4
    assert "<mark>XXX-XX-6789</mark>" in told
    assert "<mark>****-****-****-1234</mark>" in told
    assert told.startswith("&lt;b&gt;")


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=42), "42 s ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=2), "2 days ago"),
    ],
)
def test_times_are_told_from_now(passed: timedelta, told: str) -> None:
    assert words.ago(NOW - passed, NOW) == told


def test_places_count_from_one_and_say_how_many_are_left_out() -> None:
    assert words.places(((0, 1), (10, 21)), 2) == "1, 11\u201321"
    assert words.places(tuple((n, n + 2) for n in range(8)), 40).endswith(" and 34 more")
    assert words.places((), 3) == ""


@pytest.mark.parametrize(("value", "told"), [(0.00345, "$0.00345"), (12.5, "$12.50"), (0.1, "$0.1")])
def test_small_amounts_keep_their_places(value: float, told: str) -> None:
    assert words.dollars(value) == told


def test_a_new_override_is_called_one_and_a_lever_by_its_name() -> None:
    new = Change(by="override", name="p0", policy_ids=("p0",), action="warn", needed_action="block", note="new")
    acting = Change(by="override", name="o7", policy_ids=("p0",), action="warn", needed_action="block", note="acted")
    turns = view(counterfactual=Flip(decision="allowed", would_be="blocked", changes=(new, acting))).turns
    assert [(turn.kind, turn.name, turn.note) for turn in turns] == [
        ("New override", "", ""),
        ("Override", "o7", "acted"),
    ]
