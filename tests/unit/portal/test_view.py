"""What the list page shows for a reading."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from axonflow_contracts.verdicts import Action
from axonflow_portal import troubles
from axonflow_portal.listing import PolicyFilter
from axonflow_portal.pages import words
from axonflow_portal.pages.view import BAR_WIDTH, PoliciesView, policies_view
from axonflow_portal.reading import PolicyRead
from support.policies import catalogue_like, static_policy

NOW = datetime(2026, 3, 4, 9, 5, 1, tzinfo=UTC)
ADDRESS = "http://localhost:8080"


def view(policies: list, trouble: troubles.Trouble | None = None, **fields: object) -> PoliciesView:
    return policies_view(PolicyRead(tuple(policies), trouble, NOW), PolicyFilter(**fields))


def test_a_failed_source_is_not_readable_and_not_an_empty_list() -> None:
    failed = view([], troubles.refused(ADDRESS, 401))
    assert not failed.readable
    assert failed.troubles


def test_an_honest_empty_list_is_readable() -> None:
    assert view([]).readable


def test_a_list_read_in_part_is_shown_with_its_trouble_and_claims_no_total() -> None:
    part = view([static_policy()], troubles.slow(ADDRESS, 2.5))
    assert part.readable
    assert part.headline == "1 policy could be read."


def test_the_headline_counts_what_is_off() -> None:
    assert view(catalogue_like()).headline.startswith("127 policies, 1 of them off.")


def test_the_result_line_counts_against_everything_that_was_read() -> None:
    assert view(catalogue_like(), category="pii-us").result_title == "1 of 127 policies"
    assert view(catalogue_like()).result_title == "127 policies"


def test_the_bar_runs_from_end_to_end_without_overlap() -> None:
    for count in (1, 2, 7, 127):
        bar = view(catalogue_like()[:count]).bar
        assert bar[0].start == 0
        assert bar[-1].start + bar[-1].width == BAR_WIDTH
        for left, right in itertools.pairwise(bar):
            assert left.start + left.width < right.start


def test_a_bar_of_nothing_has_no_stretches() -> None:
    assert view([static_policy(enabled=False)]).bar == []


def test_a_heading_sorts_one_way_then_the_other_then_not_at_all() -> None:
    assert view([], sort="").sort_link("name") == "/policies?sort=name"
    assert view([], sort="name").sort_link("name") == "/policies?sort=-name"
    assert view([], sort="-name").sort_link("name") == "/policies"
    assert view([], sort="").sort_link("priority") == "/policies?sort=-priority"


def test_sorting_keeps_the_filters() -> None:
    assert view([], q="ssn").sort_link("name") == "/policies?q=ssn&sort=name"


def test_a_tally_entry_leads_to_exactly_the_policies_it_counts() -> None:
    rows = [static_policy("on"), static_policy("off", enabled=False)]
    link = view(rows).action_link("block")
    assert link == "/policies?enabled=true&action=block"
    assert len(view(rows, enabled=True, action="block").rows) == view(rows).tally[0].count


def test_a_tally_entry_in_force_leads_back_to_all() -> None:
    assert view([], enabled=True, action="block").action_link("block") == "/policies"


@pytest.mark.parametrize(
    ("origin", "phrase"),
    [
        ("stored", "as the policy stores it"),
        ("env:PII_ACTION", "set by PII_ACTION"),
        ("env:GATEWAY_PII_ACTION", "set by GATEWAY_PII_ACTION"),
        ("profile:strict", "set by AXONFLOW_PROFILE=strict"),
        ("enforce:pii", "set by AXONFLOW_ENFORCE=pii"),
        ("override:7", "set by override 7"),
    ],
)
def test_the_origin_of_an_action_names_the_variable_that_set_it(origin: str, phrase: str) -> None:
    assert words.origin_phrase(origin) == phrase
    assert words.is_moved(origin) == (origin != "stored")


def test_every_action_has_a_name_and_a_meaning() -> None:
    for action in (*Action, "none"):
        assert words.ACTION_NAMES[action]
        assert words.ACTION_MEANINGS[action]


def test_a_category_that_the_portal_does_not_know_stands_for_itself() -> None:
    assert words.category_name("pii-atlantis") == "pii-atlantis"
