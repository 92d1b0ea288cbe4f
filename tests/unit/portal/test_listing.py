"""Filtering, sorting and counting the unified list."""

from __future__ import annotations

import pytest
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Action, Severity
from axonflow_portal.listing import (
    PolicyFilter,
    count_categories,
    ordered,
    parse_filter,
    select,
    tally_requests,
)
from support.policies import catalogue_like, static_policy


def ids(wanted: PolicyFilter) -> list[str]:
    return [policy.policy_id for policy in select(catalogue_like(), wanted)]


def test_no_filter_keeps_every_policy() -> None:
    assert len(ids(PolicyFilter())) == len(catalogue_like())


def test_every_word_must_be_found_in_name_id_description_or_reason() -> None:
    assert ids(PolicyFilter(q="social NUMBER")) == ["sys_pii_ssn"]
    assert ids(PolicyFilter(q="sys_pii_ssn")) == ["sys_pii_ssn"]
    assert ids(PolicyFilter(q="issued")) == ["sys_pii_ssn"]
    assert ids(PolicyFilter(q="social unicorn")) == []


def test_a_category_is_filtered_by_its_true_word() -> None:
    assert ids(PolicyFilter(category="security-dangerous")) == ["sys_dangerous_reverse_shell"]
    assert ids(PolicyFilter(category="security-admin")) == ["sys_admin_config_table"]


def test_filters_narrow_together() -> None:
    assert ids(PolicyFilter(category="pii-global", severity=Severity.LOW)) == ["sys_pii_booking_ref"]
    assert ids(PolicyFilter(enabled=False)) == ["sys_code_password_assign"]
    assert ids(PolicyFilter(action=Action.REQUIRE_APPROVAL)) == ["sys_admin_config_table"]
    assert ids(PolicyFilter(action="none")) == ["sys_code_password_assign"]


def test_the_reading_order_is_category_then_priority_then_id() -> None:
    rows = ordered(catalogue_like(), "")
    keys = [(row.metadata.category, -row.priority, row.policy_id) for row in rows]
    assert keys == sorted(keys)


def test_severity_is_sorted_by_weight_and_not_by_the_alphabet() -> None:
    severities = [row.severity for row in ordered(catalogue_like(), "-severity")]
    assert severities[0] is Severity.CRITICAL
    assert severities[-1] is Severity.LOW
    assert severities.index(Severity.HIGH) < severities.index(Severity.MEDIUM)


def test_equal_rows_keep_the_reading_order_in_both_directions() -> None:
    rows = [static_policy("b"), static_policy("a")]
    assert [row.policy_id for row in ordered(rows, "-priority")] == ["a", "b"]
    assert [row.policy_id for row in ordered(rows, "priority")] == ["a", "b"]


def test_the_tally_counts_what_is_on_strongest_action_first() -> None:
    counts = [(entry.action, entry.count) for entry in tally_requests(catalogue_like())]
    assert counts == [("block", 123), ("require_approval", 1), ("warn", 1), ("log", 1)]


def test_categories_are_counted_by_their_true_word() -> None:
    assert dict(count_categories(catalogue_like()))["security-dangerous"] == 1


def test_a_filter_survives_the_way_through_a_query_string() -> None:
    asked = {"q": "a b", "category": "pii-us", "severity": "high", "tier": "system", "enabled": "false",
             "action": "block", "sort": "-updated"}  # fmt: skip
    wanted = parse_filter(asked)
    assert wanted.query() == (
        "?q=a+b&category=pii-us&severity=high&tier=system&enabled=false&action=block&sort=-updated"
    )


def test_off_is_a_filter_and_not_the_lack_of_one() -> None:
    assert PolicyFilter(enabled=False).query() == "?enabled=false"
    assert PolicyFilter(enabled=False).narrows


def test_a_change_of_one_field_keeps_the_others() -> None:
    assert PolicyFilter(q="x", category="pii-us").query(q="") == "?category=pii-us"


def test_empty_form_fields_ask_nothing() -> None:
    empty = dict.fromkeys(("q", "category", "severity", "tier", "enabled", "action", "sort"), "")
    assert parse_filter(empty) == PolicyFilter()


def test_names_of_the_older_api_are_understood() -> None:
    assert parse_filter({"category": "sql_injection"}).category == "security-sqli"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("severity", "deadly"),
        ("tier", "galaxy"),
        ("enabled", "perhaps"),
        ("action", "explode"),
        ("sort", "pattern"),
        ("sort", "--name"),
        ("q", "x" * 201),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_filter({name: value})
    assert caught.value.status == 400
    assert caught.value.message.startswith(name)
