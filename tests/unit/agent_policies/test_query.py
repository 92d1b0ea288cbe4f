"""How a list request is read."""

from __future__ import annotations

import pytest
from axonflow_agent.policies.query import SortKey, parse_query
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Severity, Tier
from axonflow_web.paging import LARGEST_LIMIT


def test_nothing_asked_is_the_first_twenty_by_priority() -> None:
    query = parse_query({})
    assert (query.offset, query.limit, query.page) == (0, 20, 1)
    assert (query.sort_by, query.descending) == (SortKey.PRIORITY, True)
    assert query.categories is None


def test_pages_count_from_one() -> None:
    query = parse_query({"page": "3", "page_size": "50"})
    assert (query.offset, query.limit, query.page) == (100, 50, 3)


def test_limit_and_offset_page_as_the_sdks_do() -> None:
    query = parse_query({"limit": "10", "offset": "25", "page": "9"})
    assert (query.offset, query.limit, query.page) == (25, 10, 3)


def test_an_offset_alone_keeps_the_usual_size() -> None:
    assert parse_query({"offset": "40"}).limit == 20


def test_sizes_are_bounded() -> None:
    assert parse_query({"page_size": "5000"}).limit == 100
    assert parse_query({"limit": "500000"}).limit == LARGEST_LIMIT


def test_every_filter_is_read() -> None:
    query = parse_query(
        {
            "category": "admin_access",
            "tier": "system",
            "severity": "high",
            "enabled": "false",
            "search": "  table ",
            "sort_by": "name",
            "sort_order": "desc",
        }
    )
    assert query.categories == ("security-admin", "security-dangerous")
    assert (query.tier, query.severity, query.enabled) == (Tier.SYSTEM, Severity.HIGH, False)
    assert (query.search, query.sort_by, query.descending) == ("table", SortKey.NAME, True)


def test_words_are_sorted_from_a_to_z_unless_asked_otherwise() -> None:
    assert not parse_query({"sort_by": "name"}).descending
    assert parse_query({"sort_by": "updated_at"}).descending


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "0"),
        ("page", "-1"),
        ("page", "1e3"),
        ("page", "٣"),
        ("page_size", "many"),
        ("limit", "0"),
        ("limit", "9" * 5000),
        ("offset", "1.5"),
        ("tier", "galaxy"),
        ("severity", "CRITICAL"),
        ("enabled", "maybe"),
        ("sort_by", "pattern; DROP TABLE static_policies"),
        ("sort_by", "org_id"),
        ("sort_order", "sideways"),
        ("search", "a\0b"),
        ("search", "x" * 201),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_the_name_of_its_parameter(name: str, value: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_query({name: value})
    assert caught.value.status == 400
    assert caught.value.message.startswith(name)


def test_parameters_of_other_versions_are_left_alone() -> None:
    assert parse_query({"include_overrides": "true", "colour": "red"}) == parse_query({})
