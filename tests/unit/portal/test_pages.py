"""What the templates write: everything escaped, nothing inline, nothing from elsewhere."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime

import pytest
from axonflow_portal import troubles
from axonflow_portal.listing import PolicyFilter
from axonflow_portal.pages import words
from axonflow_portal.pages.render import STATIC, Frame, Templates, code_spans
from axonflow_portal.pages.view import policies_view
from axonflow_portal.reading import PolicyRead
from axonflow_portal.security import CONTENT_SECURITY_POLICY
from support.policies import catalogue_like

NOW = datetime(2026, 3, 4, 9, 5, 1, tzinfo=UTC)
FRAME = Frame(org_id="acme & sons", mode="community", version="8.4.0", allowed_hosts=(), style_version="abc")


def list_page(read: PolicyRead, wanted: PolicyFilter | None = None) -> str:
    view = policies_view(read, wanted or PolicyFilter())
    response = Templates(FRAME).page("policies.html", view=view, cleared_query="", here="policies")
    return bytes(response.body).decode()


def policy_page(policy_id: str) -> str:
    policy = next(policy for policy in catalogue_like() if policy.policy_id == policy_id)
    response = Templates(FRAME).page("policy.html", policy=policy, sides=words.sides(policy), here="policy")
    return bytes(response.body).decode()


PAGES = {
    "list": list_page(PolicyRead(tuple(catalogue_like()), None, NOW)),
    "filtered": list_page(
        PolicyRead(tuple(catalogue_like()), None, NOW), PolicyFilter(q='"><script>x</script>', sort="-name")
    ),
    "refused": list_page(PolicyRead((), troubles.refused("http://a", 401), NOW)),
    "partial": list_page(PolicyRead(tuple(catalogue_like()[:3]), troubles.slow("http://a", 1), NOW)),
    "empty": list_page(PolicyRead((), None, NOW)),
    "policy": policy_page("sys_hostile"),
    "policy that is off": policy_page("sys_code_password_assign"),
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_no_page_has_inline_code_or_style_or_loads_from_elsewhere(page: str) -> None:
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=\"", page)
    for address in re.findall(r"(?:src|href|action)=\"([^\"]*)\"", page):
        assert address == "" or address.startswith(("/", "#")), address
        assert not address.startswith("//")


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_every_page_has_one_first_heading_and_no_level_left_out(page: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_what_a_policy_says_is_escaped_wherever_it_stands() -> None:
    for page in (PAGES["list"], PAGES["policy"], PAGES["filtered"]):
        assert "<script>" not in page
        assert "<img src=x" not in page
        assert "</code><b>x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in PAGES["list"]
    assert "acme &amp; sons" in PAGES["list"]


def test_the_list_has_a_row_for_every_policy_and_says_how_many() -> None:
    assert PAGES["list"].count('<tr role="row"') == len(catalogue_like()) + 1
    assert "127 policies" in PAGES["list"]


def test_a_refused_list_shows_the_variable_and_no_table() -> None:
    page = PAGES["refused"]
    assert "AXONFLOW_INTERNAL_SERVICE_SECRET" in page
    assert "<table" not in page
    assert "0 policies" not in page


def test_a_partial_list_shows_both() -> None:
    assert "<table" in PAGES["partial"]
    assert "This list is not complete" in PAGES["partial"]


def test_an_empty_list_says_that_it_is_unusual() -> None:
    assert "holds no policies" in PAGES["empty"]
    assert "<table" not in PAGES["empty"]


def test_a_sorted_column_says_so_to_assistive_technology() -> None:
    page = list_page(PolicyRead(tuple(catalogue_like()), None, NOW), PolicyFilter(sort="-name"))
    assert page.count('aria-sort="descending"') == 1
    assert "aria-sort" not in PAGES["list"]


def test_a_moved_action_names_its_variable_in_the_row() -> None:
    assert "set by PII_ACTION" in PAGES["list"]


def test_the_policy_page_shows_what_a_refused_caller_reads() -> None:
    assert "Request blocked by policy: Social Security Number detected" in policy_page("sys_pii_ssn")


def test_backquotes_become_code_after_escaping() -> None:
    assert code_spans("set `A<B>` & go") == "set <code>A&lt;B&gt;</code> &amp; go"


def test_the_policy_of_pages_allows_nothing_that_is_not_named() -> None:
    assert CONTENT_SECURITY_POLICY["default-src"] == "'none'"
    assert not any("unsafe" in value or "*" in value for value in CONTENT_SECURITY_POLICY.values())


def test_the_stylesheet_loads_nothing() -> None:
    sheet = (STATIC / "portal.css").read_text("utf-8")
    assert "url(" not in sheet
    assert "@import" not in sheet
