"""The pages about the record through the real services, each as its own process, on calls that a client made."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator

import pytest
from support.gateway import CLIENT, SSN_TEXT, Answer, request
from support.portal_stack import HOSTILE, SEALED, Stack, running_stack
from support.postgres import Server
from support.upstream import running_upstream


@pytest.fixture(scope="module")
def stack(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with (
        postgres_server.database() as url,
        running_upstream() as upstream,
        running_stack(url, upstream, folder, past_days=4, **SEALED) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def driven(stack: Stack) -> dict[str, str]:
    """Decision ids of calls just made."""
    return stack.drive()


def ask(stack: Stack, path: str) -> Answer:
    return request(f"{stack.portal.url}{path}", "GET", {})


def page(stack: Stack, path: str) -> str:
    answer = ask(stack, path)
    assert answer.status == 200, answer.body.decode()
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    return answer.body.decode()


def ids(text: str) -> list[str]:
    return re.findall(r'<a href="/decisions/([0-9a-f-]{36})"', text)


@pytest.mark.usefixtures("driven")
def test_the_overview_counts_the_calls_of_every_tenant(stack: Stack) -> None:
    text = page(stack, "/?window=7d")
    total = re.search(r'aria-label="Calls: ([0-9,]+)"', text)
    assert total
    listed = page(stack, "/decisions?window=7d")
    assert f"{total[1]} decisions in the last 7 days" in listed
    assert "Circuits open" in text
    assert "SSN Detection" in text or "US SSN" in text


def test_the_list_holds_what_was_driven_and_filters_narrow_it(stack: Stack, driven: dict[str, str]) -> None:
    assert set(driven.values()) <= set(ids(page(stack, "/decisions?window=1h")))
    blocked = ids(page(stack, f"/decisions?window=1h&verdict=blocked&client={CLIENT}&policy=ssn"))
    assert {driven["blocked"], driven["denied"]} <= set(blocked)
    assert driven["allowed"] not in blocked
    assert ids(page(stack, f"/decisions?window=1h&plane=gateway&id={driven['denied']}")) == [driven["denied"]]
    assert "No decision in the last hour fits these filters" in page(stack, "/decisions?window=1h&policy=unicorn")


@pytest.mark.usefixtures("driven")
def test_pages_follow_each_other_to_the_end_without_a_row_twice(stack: Stack) -> None:
    path, seen = "/decisions?window=all", []
    for _ in range(20):
        text = page(stack, path)
        seen += ids(text)
        following = re.search(r'href="(/decisions\?[^"]*cursor=[^"]*)" rel="next"', text)
        if following is None:
            break
        path = following[1].replace("&amp;", "&")
    total = re.search(r'id="result-title">([0-9,]+) decision', text)
    assert total
    assert len(seen) == int(total[1].replace(",", "")) > 50
    assert len(set(seen)) >= len(seen) - 2  # calls with two judged sides have two rows


def test_a_decision_says_why_and_shows_no_text_that_was_found(stack: Stack, driven: dict[str, str]) -> None:
    text = page(stack, f"/decisions/{driven['blocked']}")
    assert "This call was refused because SSN Detection matched." in text
    assert "<mark>XXX-XX-6789</mark>" in text
    assert "123-45-6789" not in text
    assert SSN_TEXT not in text
    assert "messages[0].content" in text
    assert re.search(r"<code>[0-9a-f]{64}</code>", text)


def test_a_trace_shows_the_context_and_the_call_that_was_reported(stack: Stack, driven: dict[str, str]) -> None:
    text = page(stack, f"/decisions/{driven['approved']}")
    assert "Context approved" in text
    assert "900 tokens in, 120 out" in text
    assert "estimated" in text


def test_what_is_not_there_is_404_and_what_cannot_be_asked_is_400(stack: Stack) -> None:
    assert ask(stack, "/decisions/nothing").status == 404
    assert "No such decision" in ask(stack, "/decisions/nothing").body.decode()
    for path in ("/decisions?verdict=maybe", "/decisions?cursor=bad", "/?window=all", "/decisions/export?format=xls"):
        assert ask(stack, path).status == 400, path


@pytest.mark.usefixtures("driven")
def test_gaps_name_the_clients_and_a_call_against_a_denial(stack: Stack) -> None:
    text = page(stack, "/gaps?window=7d")
    assert "mobile-app" in text
    assert "of 1 denial" in text
    assert HOSTILE not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "Nothing is missing for this client" in page(stack, "/gaps?client=nobody")


def test_the_exports_hold_every_row_of_the_filter(stack: Stack, driven: dict[str, str]) -> None:
    answer = ask(stack, f"/decisions/export?window=1h&client={CLIENT}&verdict=blocked&format=jsonl")
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = [json.loads(line) for line in answer.body.splitlines()]
    assert driven["blocked"] in {row["decision_id"] for row in rows}
    assert {row["verdict"] for row in rows} == {"blocked"}
    answer = ask(stack, f"/decisions/export?id={driven['allowed']}&format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert {row["decision_id"] for row in table} == {driven["allowed"]}


def test_a_sealed_decision_is_made_again_from_its_page_and_from_no_other_site(
    stack: Stack, driven: dict[str, str]
) -> None:
    assert "Judge again by the policies of now" in page(stack, f"/decisions/{driven['blocked']}")
    address = f"{stack.portal.url}/decisions/{driven['blocked']}/replay"
    answer = request(address, "POST", {"Sec-Fetch-Site": "same-origin"}, b"against=recorded")
    assert answer.status == 200, answer.body.decode()
    assert b"Judged again by the policies of then, it is Blocked as it was, for the same reasons." in answer.body
    assert request(address, "POST", {"Sec-Fetch-Site": "cross-site"}, b"").status == 403
    assert request(address, "POST", {}, b"against=x").status == 400
    assert request(f"{stack.portal.url}/decisions/nothing/replay", "POST", {}, b"").status == 404


def test_an_older_decision_says_why_it_cannot_be_made_again(stack: Stack) -> None:
    text = page(stack, "/decisions?window=7d&client=mobile&verdict=redacted")
    told = page(stack, f"/decisions/{ids(text)[0]}")
    assert "Judge again" not in told
    assert "not possible:" in told
