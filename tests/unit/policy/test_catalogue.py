"""The catalogue as a whole: ids, reasons and bindings that hold for every row."""

from __future__ import annotations

from collections import Counter

from axonflow_contracts.verdicts import Severity
from axonflow_policy import catalogue
from axonflow_policy.validators import VALIDATORS

# Contract, agent section 3.3.
EXPECTED_SIZES = {"security-sqli": 37, "security-dangerous": 14, "pii-global": 7, "pii-us": 2, "code-secrets": 8}


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
