"""How an operator's posture becomes one action per policy and phase, and where that action says it comes from."""

from __future__ import annotations

import pytest
from axonflow_contracts.posture import Lever, Posture, Profile
from axonflow_contracts.verdicts import Action, Phase
from axonflow_policy import EffectiveAction, Policy, catalogue, effective_action
from axonflow_policy.model import Phases

ROWS = {policy.id: policy for policy in catalogue()}
SSN = ROWS["sys_pii_ssn"]
EMAIL = ROWS["sys_pii_email"]


def request(policy: Policy, posture: Posture) -> EffectiveAction:
    return effective_action(policy, Phase.REQUEST, posture)


def test_without_any_opinion_the_stored_phase_action_stands() -> None:
    assert request(SSN, Posture()) == (Action.BLOCK, "stored")
    assert effective_action(SSN, Phase.RESPONSE, Posture()) == (Action.REDACT, "stored")


def test_the_default_profile_has_no_opinion() -> None:
    assert request(EMAIL, Posture(profile=Profile.DEFAULT)) == (Action.WARN, "stored")


@pytest.mark.parametrize(
    ("posture", "expected"),
    [
        (Posture(profile=Profile.STRICT), (Action.BLOCK, "profile:strict")),
        (Posture(profile=Profile.DEV), (Action.LOG, "profile:dev")),
        (Posture(profile=Profile.DEV, enforce=frozenset({Lever.PII})), (Action.BLOCK, "enforce:pii")),
        (
            Posture(enforce=frozenset({Lever.PII}), global_levers={Lever.PII: Action.WARN}),
            (Action.WARN, "env:PII_ACTION"),
        ),
        (
            Posture(global_levers={Lever.PII: Action.WARN}, mode_levers={Lever.PII: Action.REDACT}),
            (Action.REDACT, "env:GATEWAY_PII_ACTION"),
        ),
        (Posture(mode="MCP", mode_levers={Lever.PII: Action.LOG}), (Action.LOG, "env:MCP_PII_ACTION")),
    ],
)
def test_the_stronger_opinion_wins_and_is_named(posture: Posture, expected: EffectiveAction) -> None:
    assert request(SSN, posture) == expected


def test_a_lever_moves_only_its_own_family() -> None:
    posture = Posture(global_levers={Lever.SQLI: Action.WARN})
    assert request(ROWS["sys_sqli_union_select"], posture) == (Action.WARN, "env:SQLI_ACTION")
    assert request(ROWS["sys_sqli_drop_table"], posture) == (Action.BLOCK, "stored")
    assert request(SSN, posture) == (Action.BLOCK, "stored")


def test_no_lever_moves_code_secrets() -> None:
    posture = Posture(profile=Profile.DEV, global_levers=dict.fromkeys(Lever, Action.LOG))
    assert request(ROWS["sys_code_aws_key"], posture) == (Action.BLOCK, "stored")
    assert request(ROWS["sys_code_password_assign"], posture) == (Action.WARN, "stored")


def test_a_lever_never_widens_the_phases_of_a_policy() -> None:
    posture = Posture(profile=Profile.COMPLIANCE)
    assert effective_action(ROWS["sys_dangerous_injection_override"], Phase.RESPONSE, posture).action is None


def test_a_skipped_category_is_not_judged() -> None:
    assert request(SSN, Posture(skip_categories=frozenset({"pii-us"}))).action is None


def test_a_row_without_a_phase_action_falls_back_to_its_own() -> None:
    policy = Policy(
        id="t",
        name="t",
        category="custom",
        severity=SSN.severity,
        priority=1,
        pattern="x",
        reason="x",
        action=Action.WARN,
        phases=Phases.BOTH,
    )
    assert effective_action(policy, Phase.RESPONSE, Posture()) == (Action.WARN, "stored")


@pytest.mark.parametrize(
    ("policy_id", "stored", "on_request", "on_response"),
    [
        ("sys_pii_ssn", "block", "block", "redact"),
        ("sys_pii_credit_card", "block", "block", "redact"),
        ("sys_pii_bank_account", "block", "block", "redact"),
        ("sys_pii_email", "log", "warn", "redact"),
        ("sys_pii_phone", "log", "warn", "redact"),
        ("sys_pii_ip_address", "log", "warn", "redact"),
        ("sys_pii_dob", "log", "warn", "redact"),
        ("sys_pii_passport", "block", "warn", "redact"),
        ("sys_pii_booking_ref", "log", "log", "log"),
        ("sys_sqli_union_select", "block", "block", "block"),
        ("sys_sqli_drop_table", "block", "block", "block"),
        ("sys_dangerous_destructive_fs", "block", "block", "block"),
        ("sys_dangerous_injection_override", "block", "block", None),
        ("sys_code_github_token", "block", "block", "redact"),
        ("sys_code_password_assign", "block", "warn", "redact"),
    ],
)
def test_stored_actions_are_those_of_the_rulings(
    policy_id: str, stored: str, on_request: str, on_response: str | None
) -> None:
    policy = ROWS[policy_id]
    assert policy.action == stored
    assert effective_action(policy, Phase.REQUEST, Posture()).action == on_request
    assert effective_action(policy, Phase.RESPONSE, Posture()).action == on_response
