"""The policy pages in a real browser: usable by keyboard, without scripts, on a phone, in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from support.agent_stand_in import AgentStandIn
from support.policies import catalogue_like
from support.processes import Service

WIDE = {"width": 1360, "height": 900}
TABLET = {"width": 820, "height": 1100}
PHONE = {"width": 320, "height": 700}  # WCAG 2.1 §1.4.10: no scrolling in two directions at 320 CSS pixels
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = (
    "tags => axe.run(document, {runOnly: tags}).then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
)

PATHS = {
    "list": "/policies",
    "filtered": "/policies?q=detection&category=pii-us&severity=critical&sort=-priority",
    "no match": "/policies?q=unicorn",
    "policy": "/policies/sys_pii_ssn",
    "policy that is off": "/policies/sys_code_password_assign",
    "not found": "/policies/sys_unicorn",
}


@pytest.fixture
def page(browser: Browser, portal: Service) -> Iterator[Page]:
    """A page without scripts, as the portal promises to work."""
    context = browser.new_context(base_url=portal.url, viewport=WIDE, java_script_enabled=False)
    yield context.new_page()
    context.close()


def violations(browser: Browser, url: str, axe: str, **context: Any) -> list[Any]:
    opened = browser.new_context(viewport=context.pop("viewport", WIDE), **context)
    try:
        page = opened.new_page()
        page.goto(url)
        page.evaluate(axe)  # through the debugger, which the page's own policy does not concern
        return list(page.evaluate(RUN_AXE, AXE_RULES))
    finally:
        opened.close()


def test_the_checker_sees_a_fault_that_is_put_there(browser: Browser, portal: Service, axe: str) -> None:
    opened = browser.new_context()
    page = opened.new_page()
    page.goto(f"{portal.url}/policies/sys_pii_ssn")
    page.evaluate("document.querySelector('.lede').style.color = '#bbb'")
    page.evaluate(axe)
    found = page.evaluate(RUN_AXE, AXE_RULES)
    opened.close()
    assert [rule for rule, _ in found] == ["color-contrast"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_no_page_breaks_an_accessibility_rule(
    browser: Browser, portal: Service, axe: str, path: str, scheme: str
) -> None:
    assert violations(browser, portal.url + path, axe, color_scheme=scheme) == []


@pytest.mark.parametrize("viewport", [TABLET, PHONE], ids=["tablet", "phone"])
def test_narrow_pages_break_no_accessibility_rule_either(
    browser: Browser, portal: Service, axe: str, viewport: dict[str, int]
) -> None:
    assert violations(browser, f"{portal.url}/policies", axe, viewport=viewport) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_banner_breaks_no_accessibility_rule(
    browser: Browser, portal: Service, agent: AgentStandIn, axe: str, scheme: str
) -> None:
    agent.status = 401
    assert violations(browser, f"{portal.url}/policies", axe, color_scheme=scheme) == []
    agent.status, agent.fail_after_page = 200, 1
    assert violations(browser, f"{portal.url}/policies", axe, color_scheme=scheme) == []


@pytest.mark.parametrize("viewport", [WIDE, TABLET, PHONE], ids=["wide", "tablet", "phone"])
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_no_page_scrolls_sideways(browser: Browser, portal: Service, path: str, viewport: dict[str, int]) -> None:
    opened = browser.new_context(viewport=viewport)
    page = opened.new_page()
    page.goto(portal.url + path)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    opened.close()
    assert overflow == 0


def test_nothing_is_asked_of_any_other_place_and_nothing_is_refused_by_the_page_policy(
    browser: Browser, portal: Service
) -> None:
    opened = browser.new_context(viewport=WIDE)
    page = opened.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{portal.url}/policies")
    page.goto(f"{portal.url}/policies/sys_hostile")
    opened.close()
    assert asked
    assert [url for url in asked if not url.startswith(portal.url)] == []
    assert complaints == []


def test_the_list_shows_every_policy_with_its_words(page: Page) -> None:
    page.goto("/policies")
    expect(page.get_by_role("heading", name="Policies", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="127 policies")).to_be_visible()
    assert page.locator("table.policies tbody tr").count() == len(catalogue_like())
    row = page.get_by_role("row", name="Email Address Detection")
    expect(row).to_contain_text("Warn")
    expect(row).to_contain_text("set by PII_ACTION")


def test_the_form_filters_and_each_filter_can_be_taken_away(page: Page) -> None:
    page.goto("/policies")
    page.get_by_label("Category").select_option("pii-global")
    page.get_by_label("Severity").select_option("medium")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="1 of 127 policies")).to_be_visible()
    page.get_by_role("link", name="Remove filter: severity Medium").click()
    expect(page.get_by_role("heading", name="2 of 127 policies")).to_be_visible()
    expect(page.get_by_label("Category")).to_have_value("pii-global")
    page.get_by_role("link", name="Clear all").click()
    expect(page.get_by_role("heading", name="127 policies")).to_be_visible()


def test_a_heading_sorts_and_says_so(page: Page) -> None:
    page.goto("/policies")
    page.get_by_role("link", name="Updated").click()
    expect(page.get_by_role("columnheader", name="Updated")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("link", name="Updated").click()
    expect(page.locator("table.policies tbody tr").first).to_contain_text("sys_hostile")


def test_the_tally_leads_to_the_policies_it_counts(page: Page) -> None:
    page.goto("/policies")
    page.get_by_role("link", name="Ask a person").click()
    expect(page.get_by_role("heading", name="1 of 127 policies")).to_be_visible()


def test_a_policy_is_one_click_away_and_so_is_the_way_back(page: Page) -> None:
    page.goto("/policies?q=ssn")
    page.get_by_role("link", name="SSN Detection").click()
    expect(page.get_by_text("Request blocked by policy: Social Security Number detected")).to_be_visible()
    page.get_by_role("link", name="All policies").click()
    expect(page.get_by_role("heading", name="127 policies")).to_be_visible()


def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    page.goto("/policies")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    while not page.get_by_label("Find").evaluate("field => field === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type("booking")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 of 127 policies")).to_be_visible()


def test_hostile_text_is_shown_and_not_obeyed(browser: Browser, portal: Service) -> None:
    opened = browser.new_context()
    page = opened.new_page()
    alarms: list[str] = []
    page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
    page.goto(f"{portal.url}/policies/sys_hostile")
    expect(page.get_by_role("heading", name="<script>alert(1)</script>")).to_be_visible()
    opened.close()
    assert alarms == []


def test_a_refused_secret_is_a_banner_that_names_the_variable(page: Page, agent: AgentStandIn) -> None:
    agent.status = 401
    answer = page.goto("/policies")
    assert answer is not None
    assert answer.status == 502
    expect(page.get_by_role("heading", name="System policies could not be read")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("AXONFLOW_INTERNAL_SERVICE_SECRET")
    assert page.get_by_role("table").count() == 0
    agent.status = 200
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", name="127 policies")).to_be_visible()


def test_a_list_that_broke_off_is_shown_with_its_banner(page: Page, agent: AgentStandIn) -> None:
    agent.fail_after_page = 1
    page.goto("/policies")
    expect(page.get_by_role("heading", name="This list is not complete")).to_be_visible()
    expect(page.get_by_role("heading", name="100 policies")).to_be_visible()
