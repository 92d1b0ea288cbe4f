"""The pages about the record in a real browser: without scripts, by keyboard, on a phone, in the dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from support.portal_stack import SEALED, Stack, running_stack
from support.postgres import Server
from support.upstream import running_upstream

WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 320, "height": 700}
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = (
    "tags => axe.run(document, {runOnly: tags}).then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
)
PATHS = {
    "overview": "/?window=7d",
    "decisions": "/decisions?window=7d",
    "filtered": "/decisions?window=7d&verdict=blocked&client=teller&since=2026-01-01T00:00",
    "no decision": "/decisions?policy=unicorn",
    "gaps": "/gaps?window=7d",
    "decision": "/decisions/{blocked}",
    "allowed decision": "/decisions/{approved}",
}


@pytest.fixture(scope="module")
def stack(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with (
        postgres_server.database() as url,
        running_upstream() as upstream,
        running_stack(url, upstream, folder, past_days=3, **SEALED) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def driven(stack: Stack) -> dict[str, str]:
    """Decision ids of calls just made."""
    return stack.drive()


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_no_page_breaks_a_rule_scrolls_sideways_or_obeys_a_callers_text(
    browser: Browser, stack: Stack, driven: dict[str, str], axe: str, path: str
) -> None:
    opened = browser.new_context(viewport=WIDE, color_scheme="light")  # type: ignore[arg-type]
    page = opened.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("dialog", lambda dialog: (told.append(dialog.message), dialog.dismiss()))
    page.goto(stack.portal.url + path.format(**driven))
    page.evaluate(axe)  # through the debugger, which the page's own policy does not concern
    found = page.evaluate(RUN_AXE, AXE_RULES)
    page.emulate_media(color_scheme="dark")
    found += page.evaluate(RUN_AXE, ["color-contrast"])
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    opened.close()
    assert (found, sideways, told) == ([], 0, [])


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A page without scripts, as the portal promises to work."""
    context = browser.new_context(base_url=stack.portal.url, viewport=WIDE, java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.mark.usefixtures("driven")
def test_a_refused_call_is_found_from_the_overview_and_explained(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Blocked:").click()
    expect(page.get_by_role("heading", name="Decisions", exact=True)).to_be_visible()
    expect(page.get_by_label("Verdict")).to_have_value("blocked")
    page.get_by_role("link", name="SSN Detection").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("was refused because SSN Detection matched")
    page.get_by_role("link", name="SSN Detection").click()
    expect(page.get_by_text("Request blocked by policy: Social Security Number detected")).to_be_visible()


@pytest.mark.usefixtures("driven")
def test_the_form_filters_by_keyboard_and_a_chip_takes_it_back(page: Page) -> None:
    page.goto("/decisions?window=7d")
    page.get_by_label("Client").fill("mobile")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Remove filter: client mobile")).to_be_visible()
    assert page.get_by_role("row").filter(has_text="teller-app").count() == 0
    page.get_by_role("link", name="Remove filter: client mobile").click()
    expect(page.get_by_label("Client")).to_have_value("")


@pytest.mark.usefixtures("driven")
def test_the_numbers_of_a_chart_are_a_table_that_opens_without_a_script(page: Page) -> None:
    page.goto("/gaps?window=7d")
    page.get_by_text("The same numbers as a table").click()
    expect(page.get_by_role("columnheader", name="Never reported").first).to_be_visible()
    expect(page.get_by_role("img", name="What is missing")).to_be_visible()


@pytest.mark.usefixtures("driven")
def test_older_decisions_are_a_page_away(page: Page) -> None:
    page.goto("/decisions?window=all")
    first = page.locator(".decisions .name code").all_inner_texts()
    page.get_by_role("link", name="Older decisions").click()
    second = page.locator(".decisions .name code").all_inner_texts()
    assert second
    assert not set(first) & set(second)
    page.get_by_role("link", name="Newest").click()
    assert page.locator(".decisions .name code").first.inner_text() == first[0]


def test_a_decision_is_made_again_by_a_form_on_a_phone(browser: Browser, stack: Stack, driven: dict[str, str]) -> None:
    opened = browser.new_context(base_url=stack.portal.url, viewport=PHONE)  # type: ignore[arg-type]
    page = opened.new_page()
    page.goto(f"/decisions/{driven['blocked']}")
    page.get_by_role("button", name="Judge again by the policies of now").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("it is Blocked as it was")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    opened.close()
