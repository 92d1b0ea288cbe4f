"""The smallest change that would have turned a decision."""

from __future__ import annotations

import msgspec
import pytest
from axonflow_audit import MatchedPolicy
from axonflow_contracts.posture import Lever, Posture, Profile
from axonflow_contracts.verdicts import Action, Phase
from axonflow_orchestrator.decisions.flipping import Change, Flip, smallest_flip
from axonflow_policy import catalogue
from axonflow_policy.actions import effective_action
from axonflow_settings import Edition
from support.record import EMAIL, SSN, row_of


def flip(verdict: str, *matches: MatchedPolicy, edition: Edition = Edition.ENTERPRISE) -> Flip:
    return smallest_flip(row_of(verdict=verdict, matched_policies=matches, reason="why"), edition)


def moved(match: MatchedPolicy, **fields: object) -> MatchedPolicy:
    return msgspec.structs.replace(match, **fields)


def summed(changes: tuple[Change, ...]) -> list[tuple[str, str, tuple[str, ...], bool]]:
    return [(change.by, change.name, change.policy_ids, change.possible) for change in changes]


def test_every_policy_that_asked_for_the_block_must_change() -> None:
    email, phone = moved(EMAIL, action="block"), moved(EMAIL, action="block", policy_id="sys_pii_phone")
    found = flip("blocked", email, phone, moved(EMAIL, action="redact", policy_id="sys_pii_ip"))
    assert found.would_be == "redacted"
    assert summed(found.changes) == [
        ("override", "sys_pii_email", ("sys_pii_email",), True),
        ("override", "sys_pii_phone", ("sys_pii_phone",), True),
    ]
    assert {change.needed_action for change in found.changes} == {Action.WARN}


def test_one_lever_moves_all_that_it_moved_before() -> None:
    one = moved(SSN, origin="env:PII_ACTION")
    other = moved(SSN, origin="env:PII_ACTION", policy_id="sys_pii_card")
    found = flip("blocked", one, other)
    assert summed(found.changes) == [("variable", "PII_ACTION", ("sys_pii_ssn", "sys_pii_card"), True)]


@pytest.mark.parametrize(
    ("posture", "origin"),
    [
        (Posture(profile=Profile.STRICT), "profile:strict"),
        (Posture(enforce=frozenset({Lever.PII})), "enforce:pii"),
    ],
)
def test_under_a_profile_or_the_list_the_variable_that_is_named_does_turn_it(posture: Posture, origin: str) -> None:
    [ssn] = [policy for policy in catalogue() if policy.id == "sys_pii_ssn"]
    assert effective_action(ssn, Phase.REQUEST, Posture()).action is Action.BLOCK, "taking it away would turn nothing"
    [change] = flip("blocked", moved(SSN, origin=origin)).changes
    assert (change.by, change.name, change.possible) == ("variable", "PII_ACTION", True)
    turned = msgspec.structs.replace(posture, global_levers={Lever.PII: change.needed_action})
    assert effective_action(ssn, Phase.REQUEST, turned).action is change.needed_action


def test_an_override_that_acted_is_the_one_to_change() -> None:
    [change] = flip("blocked", moved(EMAIL, action="block", origin="override:o-1")).changes
    assert (change.by, change.name) == ("override", "o-1")


def test_a_tenants_own_policy_is_changed_itself() -> None:
    own = moved(EMAIL, action="block", policy_id="project-names", tier="tenant")
    for edition in Edition:
        assert summed(flip("blocked", own, edition=edition).changes) == [
            ("policy", "project-names", ("project-names",), True)
        ]


def test_what_no_setting_may_do_is_said() -> None:
    assert not flip("blocked", SSN).changes[0].possible
    assert "critical" in flip("blocked", SSN).changes[0].note
    assert "enterprise" in flip("blocked", SSN, edition=Edition.COMMUNITY).changes[0].note


def test_a_match_in_two_places_is_one_change_and_two_passages() -> None:
    found = flip("blocked", moved(EMAIL, action="block"), moved(EMAIL, action="block", path="messages[3].content"))
    assert (len(found.changes), len(found.without)) == (1, 2)


def test_what_asks_for_approval_next_passes_where_there_is_no_queue() -> None:
    matches = (moved(EMAIL, action="block"), moved(EMAIL, action="require_approval", policy_id="p2"))
    assert flip("blocked", *matches).would_be == "needs_approval"
    assert flip("blocked", *matches, edition=Edition.COMMUNITY).would_be == "allowed"


def test_an_allowed_call_is_one_stricter_action_away_from_a_block() -> None:
    found = flip("allowed", EMAIL)
    assert (found.would_be, found.changes[0].needed_action) == ("blocked", Action.BLOCK)
    nothing = flip("allowed")
    assert (nothing.would_be, nothing.changes) == ("allowed", ())
    assert nothing.note


def test_the_report_of_a_call_was_masked_and_would_have_been_blocked_by_nothing() -> None:
    matches = (SSN, moved(EMAIL, action="redact"))
    row = row_of(verdict="redacted", request_type="audit_llm_call", phase="response", matched_policies=matches)
    found = smallest_flip(row, Edition.ENTERPRISE)
    assert (found.would_be, found.changes) == ("redacted", ())
    assert "made already" in found.note


def test_what_no_policy_decided_is_not_blamed_on_one() -> None:
    for found in (flip("blocked"), flip("error"), flip("blocked", EMAIL)):
        assert (found.changes, found.note) == ((), "No policy decided this: why")
