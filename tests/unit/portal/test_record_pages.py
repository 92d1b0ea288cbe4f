"""What the templates of the record write: everything escaped, and readable by assistive technology."""

from __future__ import annotations

import dataclasses
import itertools
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from axonflow_contracts.errors import Fault
from axonflow_portal.pages.render import Frame, Templates
from axonflow_portal.record.filters import DecisionFilter
from axonflow_portal.record.reading import merged
from axonflow_portal.record.replaying import ReplayView
from axonflow_portal.record.views import DecisionsView, GapsView, Overview
from axonflow_portal.record.why import DecisionView
from axonflow_portal.record.wire import (
    Circuit,
    Circuits,
    EntryList,
    MatchedPolicy,
    NotReplayable,
    PolicyDetails,
    ReplayChange,
    ReplaySide,
)
from axonflow_portal.security import refuse_other_sites
from axonflow_portal.service_troubles import ServiceTroubles
from starlette.requests import Request
from support.portal_record import (
    HOSTILE,
    NOW,
    circuits,
    entries,
    entry,
    explanation,
    gap,
    gap_report,
    replay,
    summary,
    trace,
)
from support.serving import http_scope

FRAME = Frame(org_id="acme & sons", mode="community", version="8.4.0", allowed_hosts=(), style_version="abc")
AWAY = ServiceTroubles("orchestrator", "ORCHESTRATOR_URL", "http://o:8081", "decisions").unreachable()


def page(name: str, view: Any, here: str) -> str:
    return bytes(Templates(FRAME).page(name, view=view, here=here).body).decode()


def decisions(found: EntryList | None, wanted: DecisionFilter | None = None, *troubles: Any) -> str:
    return page("decisions.html", DecisionsView(wanted or DecisionFilter(), found, troubles, NOW), "decisions")


def overview(**fields: Any) -> str:
    parts = {"window": "24h", "summary": summary(), "gaps": gap_report(), "circuits": circuits(), "troubles": ()}
    return page("overview.html", Overview(**{**parts, "now": NOW, **fields}), "overview")


def gaps(report: Any, *troubles: Any, client: str = "") -> str:
    view = GapsView(window="24h", client=client, report=report, troubles=troubles, now=NOW)
    return page("gaps.html", view, "gaps")


def decision(**fields: Any) -> str:
    rows = trace(
        ("audit_logs", msgspec.to_builtins(entry(client_id=HOSTILE, query=HOSTILE))),
        ("llm_call_audits", {"model": HOSTILE, "provider": HOSTILE}),
        ("gateway_contexts", {"approved": True, "client_id": HOSTILE}),
        (HOSTILE, {}),
    )
    parts = {"told": explanation(), "entry": entry(), "trace": rows, "troubles": (), "now": NOW}
    return page("decision.html", DecisionView(**{**parts, **fields}), "decision")


HOSTILE_ENTRY = entry(
    client_id=HOSTILE,
    user_email=HOSTILE,
    model=HOSTILE,
    plane=HOSTILE,
    verdict=HOSTILE,
    decision_id=HOSTILE,
    policy_details=PolicyDetails(policies=(MatchedPolicy(policy_id=HOSTILE, name=HOSTILE),)),
)
HOSTILE_REPLAY = replay(
    decision_id=HOSTILE,
    exact=False,
    inexact=(HOSTILE,),
    recorded=ReplaySide(verdict=HOSTILE, reason=HOSTILE, policy_set_hash=HOSTILE),
    changes=(ReplayChange(policy_id=HOSTILE, then=HOSTILE, why=HOSTILE),),
)
HOSTILE_CIRCUITS = Circuits(
    active_circuits=(Circuit(scope=HOSTILE, scope_id=HOSTILE, tripped_at=NOW),), count=1, emergency_stop_active=True
)
PAGES = {
    "decisions": decisions(entries(HOSTILE_ENTRY, entry(), total=1200, has_more=True, next_cursor="abc")),
    "filtered": decisions(
        entries(entry(), partial=True),
        DecisionFilter(policy=HOSTILE, client=HOSTILE, id=HOSTILE, trace_id=HOSTILE, verdict="error", cursor="x"),
    ),
    "no decision": decisions(entries()),
    "decisions away": decisions(None, None, AWAY),
    "overview": overview(gaps=gap_report(unaudited=2, approved=3), circuits=HOSTILE_CIRCUITS),
    "overview away": overview(summary=None, gaps=None, circuits=None, troubles=(AWAY,)),
    "gaps": gaps(gap_report(gap(HOSTILE), gap(called_despite_denial=1), unaudited=4, approved=6), client=HOSTILE),
    "no gap": gaps(gap_report()),
    "gaps away": gaps(None, AWAY),
    "decision": decision(),
    "hostile decision": decision(
        told=explanation(
            decision_id=HOSTILE, reason=HOSTILE, policy_matches=(), request_type=HOSTILE, context={HOSTILE: HOSTILE},
            tool_signature=HOSTILE, trace_id=HOSTILE,
        )
    ),
    "replay": page("replay.html", ReplayView(replay()), "decision"),
    "hostile replay": page("replay.html", ReplayView(HOSTILE_REPLAY), "decision"),
    "replayable decision": decision(told=explanation(replayable=True)),
    "decision alone": decision(entry=None, trace=None, troubles=(AWAY,)),
}  # fmt: skip


class Outline(HTMLParser):
    """Ids, labels and tables of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.referred: list[str] = []
        self.fields: list[str] = []
        self.labels: list[str] = []
        self.header_scopes: list[str | None] = []
        self.cells_without_row_header = 0
        self._row: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if told.get("id"):
            self.ids.append(str(told["id"]))
        for name in ("aria-labelledby", "aria-describedby", "for"):
            self.referred += (told.get(name) or "").split()
        if tag in {"input", "select"} and told.get("type") != "hidden":
            self.fields.append(str(told.get("id")))
        if tag == "label":
            self.labels.append(str(told.get("for")))
        if tag == "tr":
            self._row = []
        if tag in {"th", "td"}:
            self._row.append(tag)
            self.cells_without_row_header += tag == "td" and "th" not in self._row
        if tag == "th":
            self.header_scopes.append(told.get("scope"))


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES.keys())
def test_no_page_has_inline_code_or_style_or_loads_from_elsewhere(text: str) -> None:
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=\"", text)
    for address in re.findall(r"(?:src|href|action)=\"([^\"]*)\"", text):
        assert address == "" or address.startswith(("/", "#")), address
        assert not address.startswith("//")


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES.keys())
def test_what_callers_named_is_escaped_wherever_it_stands(text: str) -> None:
    assert "<script>" not in text
    assert "<img src=x" not in text
    assert 'x"><' not in text


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES.keys())
def test_headings_fields_and_tables_can_be_read_aloud(text: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    outline = Outline(text)
    assert len(set(outline.ids)) == len(outline.ids)
    assert set(outline.referred) <= set(outline.ids)
    assert set(outline.fields) <= set(outline.labels)
    assert set(outline.header_scopes) <= {"col", "row"}
    assert outline.cells_without_row_header == 0


def test_a_source_that_failed_is_a_banner_and_never_a_nought() -> None:
    for name in ("decisions away", "gaps away", "overview away"):
        assert "ORCHESTRATOR_URL" in PAGES[name]
        assert "Decisions could not be read" in PAGES[name]
        assert "<table" not in PAGES[name]
        assert not re.search(r"\b0 (decisions|calls)", PAGES[name])
        assert 'class="tiles"' not in PAGES[name]


def test_an_empty_list_says_what_was_looked_at() -> None:
    assert "No decision in the last 24 hours." in PAGES["no decision"]
    narrowed = decisions(entries(), DecisionFilter(window="all", client="x"))
    assert "No decision in everything kept fits these filters." in narrowed


def test_totals_are_true_and_uncounted_ones_are_not_told() -> None:
    assert "1,200 decisions in the last 24 hours" in PAGES["decisions"]
    assert "too many to count in time" in PAGES["filtered"]


def test_a_list_leads_on_by_its_cursor_and_keeps_its_filter() -> None:
    text = decisions(entries(entry(), has_more=True, next_cursor="n2"), DecisionFilter(client="a", window="7d"))
    assert 'href="/decisions?window=7d&amp;client=a&amp;cursor=n2"' in text
    assert 'href="/decisions/export?window=7d&amp;client=a&amp;format=csv"' in text
    assert "Newest" not in text
    assert ">Newest</a>" in PAGES["filtered"]


def test_a_verdict_is_a_word_and_a_shape() -> None:
    for verdict, name, shape in (("blocked", "Blocked", "block"), ("allowed", "Allowed", "on")):
        cell = re.search(r'data-label="Verdict">(.*?)</td>', decisions(entries(entry(verdict=verdict))), re.DOTALL)
        assert cell
        assert name in cell[1]
        assert f"#icon-{shape}" in cell[1]


def test_a_short_retention_is_told_where_more_was_asked_for() -> None:
    found = entries(entry(), retention_days=3)
    assert "This edition keeps 3 days" in decisions(found, DecisionFilter(window="7d"))
    assert "This edition keeps" not in decisions(found, DecisionFilter(window="24h"))


def test_the_chart_is_a_picture_with_words_and_has_its_numbers_as_a_table() -> None:
    text = PAGES["overview"]
    assert 'role="img" aria-labelledby="calls-title calls-title-told"' in text
    assert "12 calls in all; the busiest hour began 4 Mar, 07:00 UTC with 7." in text
    assert "The same numbers as a table" in text
    assert "<title>4 Mar, 09:00 UTC: 2 blocked, 1 redacted, 2 allowed</title>" in text


def test_circuits_are_shown_where_the_edition_has_them() -> None:
    assert "an emergency stop is in force" in PAGES["overview"]
    assert "Circuits open" not in overview(circuits=None)


def test_the_overview_leads_into_the_lists() -> None:
    text = overview(window="7d")
    assert 'href="/decisions?window=7d&amp;verdict=blocked"' in text
    assert 'href="/decisions?window=7d&amp;policy=sys_pii_ssn"' in text
    assert 'href="/gaps?window=7d"' in text


def test_a_decision_shows_its_place_its_origin_its_flip_and_its_hash() -> None:
    text = PAGES["decision"]
    assert "characters 11\u201321" in text
    assert "set by PII_ACTION" in text
    assert "moves every policy of this lever" in text
    assert "d61c7a56" * 8 in text
    assert 'href="/policies/sys_pii_ssn"' in text


def test_gaps_say_why_they_matter_and_who() -> None:
    text = PAGES["gaps"]
    assert "of which nothing is known" in text
    assert "Called against a denial" in text
    assert "Every approval whose time is over was followed by a report." in gaps(gap_report(approved=1, audited=1))


def test_one_cause_is_told_once_under_all_its_titles() -> None:
    other = dataclasses.replace(AWAY, title="Calls could not be read")
    (told,) = merged(AWAY, None, other)
    assert told.title == "Decisions, calls could not be read"


def test_a_replay_is_offered_only_where_it_can_be() -> None:
    assert "Judge again" not in PAGES["decision"]
    assert PAGES["replayable decision"].count('method="post"') == 2
    why = explanation(not_replayable=NotReplayable(message="only redacted text was kept"))
    assert "not possible: only redacted text was kept" in decision(told=why)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Judged again by the policies of now, it is Allowed, and it was Blocked."),
        (
            {"same": True, "same_matches": True, "against": "recorded"},
            "Judged again by the policies of then, it is Allowed as it was, for the same reasons.",
        ),
        ({"same": True}, "Judged again by the policies of now, it is Allowed as it was, and not for the same reasons."),
        (
            {"replayed": None, "not_replayable": NotReplayable(message="only redacted text was kept")},
            "This decision cannot be made again: only redacted text was kept.",
        ),
    ],
)
def test_a_replay_says_what_came_out(fields: dict[str, Any], sentence: str) -> None:
    assert ReplayView(replay(**fields)).sentence == sentence


@pytest.mark.parametrize(
    ("headers", "let_in"),
    [
        ({"sec-fetch-site": "same-origin", "origin": "null"}, True),
        ({"origin": "http://localhost:8082"}, True),
        ({}, True),
        ({"sec-fetch-site": "cross-site", "origin": "null"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://localhost:9999"}, False),
    ],
)
def test_a_form_of_another_site_is_refused(headers: dict[str, str], let_in: bool) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in {"host": "localhost:8082", **headers}.items()]
    request = Request(http_scope("POST", "/decisions/x/replay", pairs))
    if let_in:
        refuse_other_sites(request)
    else:
        with pytest.raises(Fault, match="another site"):
            refuse_other_sites(request)


def test_time_that_the_edition_does_not_keep_is_told_and_not_drawn_as_quiet() -> None:
    kept = NOW - timedelta(days=3)
    assert "begins on 1 Mar 2026, 09:05:01 UTC" in overview(window="7d", summary=summary(start_time=kept))
    assert "This edition keeps no older rows" not in overview()
    short = msgspec.structs.replace(gap_report(), since=NOW - timedelta(hours=1))
    assert "This edition keeps no older rows" in gaps(short)
    assert "This edition keeps no older rows" not in gaps(gap_report())


def test_open_approvals_are_not_called_reported() -> None:
    assert "may be reported yet." in gaps(gap_report(approved=1, open=1))
