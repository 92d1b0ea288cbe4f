"""The catalogue as a whole: ids, reasons and bindings that hold for every row."""

from __future__ import annotations

from collections import Counter

import pytest
from axonflow_contracts.posture import Lever, Posture
from axonflow_contracts.verdicts import Action, Phase, Severity
from axonflow_policy import catalogue, effective_action
from axonflow_policy.validators import VALIDATORS

# Contract, agent section 3.3.
EXPECTED_SIZES = {
    "security-sqli": 37,
    "security-dangerous": 14,
    "security-admin": 4,
    "pii-global": 9,
    "pii-us": 2,
    "pii-eu": 2,
    "pii-india": 4,
    "pii-singapore": 5,
    "pii-indonesia": 9,
    "sensitive-data": 6,
    "code-secrets": 8,
    "code-unsafe": 7,
}


def test_each_category_holds_the_rows_of_the_contract() -> None:
    assert Counter(policy.category for policy in catalogue()) == EXPECTED_SIZES


def test_ids_are_unique() -> None:
    ids = [policy.id for policy in catalogue()]
    assert len(ids) == len(set(ids))


def test_every_row_tells_people_why() -> None:
    for policy in catalogue():
        assert len(policy.reason) > 10, policy.id
        assert not policy.reason.endswith("."), policy.id


def test_every_named_validator_exists_and_every_validator_is_used() -> None:
    used = {policy.validator for policy in catalogue() if policy.validator is not None}
    assert used == set(VALIDATORS)


def test_priorities_are_those_of_the_contract() -> None:
    rows = {policy.id: policy for policy in catalogue()}
    assert rows["sys_pii_ssn"].priority == 100
    assert rows["sys_pii_booking_ref"].priority == 10
    assert rows["sys_sqli_hex_encoding"].priority == 70
    assert rows["sys_dangerous_injection_override"].priority == 95
    sqli = [policy for policy in catalogue() if policy.category == "security-sqli"]
    assert {policy.priority for policy in sqli if policy.severity is Severity.CRITICAL} == {100}
    assert {policy.priority for policy in sqli if policy.severity is Severity.HIGH} == {90}


def stored(policy_id: str) -> tuple[Action | None, Action | None]:
    row = next(policy for policy in catalogue() if policy.id == policy_id)
    actions = (effective_action(row, phase, Posture()) for phase in (Phase.REQUEST, Phase.RESPONSE))
    request, response = (effective.action for effective in actions)
    return request, response


# Rulings section 4: what each kind of row does where nothing is set.
RULED = {
    "iban eu_national_id pan gstin upi aadhaar singapore_nric singapore_fin indonesia_nik "
    "indonesia_npwp_legacy indonesia_npwp_new indonesia_ktp ssn credit_card bank_account": (
        Action.BLOCK,
        Action.REDACT,
    ),
    "singapore_uen singapore_phone indonesia_phone indonesia_bca indonesia_mandiri indonesia_bri indonesia_bni email "
    "phone ip_address dob passport drivers_license address": (Action.WARN, Action.REDACT),
    "booking_ref singapore_postal": (Action.LOG, Action.LOG),
}


@pytest.mark.parametrize(
    ("name", "actions"), [(name, actions) for names, actions in RULED.items() for name in names.split()]
)
def test_personal_data_is_treated_as_ruled(name: str, actions: tuple[Action, Action]) -> None:
    assert stored(f"sys_pii_{name}") == actions


def test_every_row_of_personal_data_has_a_ruled_action_and_the_lever() -> None:
    rows = [policy for policy in catalogue() if policy.category.startswith("pii-")]
    assert {policy.id.removeprefix("sys_pii_") for policy in rows} == {
        name for names in RULED for name in names.split()
    }
    assert {policy.lever for policy in rows} == {Lever.PII}


def test_commands_and_statements_are_blocked_on_both_sides_and_orders_to_the_model_in_requests() -> None:
    for policy in catalogue():
        if policy.category == "security-sqli":
            assert stored(policy.id) == (Action.BLOCK, Action.BLOCK), policy.id
        if policy.category == "security-dangerous":
            request_only = "injection" in policy.id or policy.id == "sys_dangerous_eval_exec"
            assert stored(policy.id) == (Action.BLOCK, None if request_only else Action.BLOCK), policy.id


def test_admin_rows_block_requests_and_sensitive_data_warns_on_both_sides() -> None:
    for policy in catalogue():
        if policy.category == "security-admin":
            assert (stored(policy.id), policy.lever) == ((Action.BLOCK, None), None), policy.id
        if policy.category == "sensitive-data":
            assert (stored(policy.id), policy.lever) == ((Action.WARN, Action.WARN), Lever.SENSITIVE_DATA), policy.id


def test_unsafe_code_is_judged_in_answers_alone_and_only_an_injected_shell_command_is_blocked() -> None:
    rows = [policy for policy in catalogue() if policy.category == "code-unsafe"]
    assert {policy.id: stored(policy.id) for policy in rows} == {
        policy.id: (None, Action.BLOCK if policy.id == "sys_code_shell_injection" else Action.WARN) for policy in rows
    }


def test_every_system_policy_is_on() -> None:
    assert all(policy.enabled for policy in catalogue())
