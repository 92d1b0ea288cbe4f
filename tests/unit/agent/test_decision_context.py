"""Which context values of a gateway are kept, and how much of them."""

from __future__ import annotations

import pytest
from axonflow_agent.decision.context import ContextAllowlist

LISTED = ContextAllowlist(["x-ai-agent", "X_Session-ID", "team-*"])


@pytest.mark.parametrize("name", ["x-ai-agent", "X-AI-Agent", "x_ai_agent", "X_AI-AGENT"])
def test_case_and_separators_make_no_difference(name: str) -> None:
    assert LISTED.kept({name: "bot"}) == {"x_ai_agent": "bot"}


def test_a_star_stands_for_any_rest_and_nothing_else_is_kept() -> None:
    kept = LISTED.kept({"team-name": "a", "team": "b", "teamwork": "c", "x-other": "d", "x-ai-agent-2": "e"})
    assert kept == {"team_name": "a"}
    assert ContextAllowlist(["*"]).kept({"Any-Thing": "v"}) == {"any_thing": "v"}


def test_only_strings_are_values() -> None:
    assert LISTED.kept({"x-ai-agent": 7, "x-session-id": None, "team-a": ["x"], "": "y"}) == {}


def test_what_is_cut_is_marked_and_ends_with_a_whole_character() -> None:
    kept = LISTED.kept({"x-ai-agent": "a" + "é" * 200})
    assert kept == {"x_ai_agent": "a" + "é" * 127, "truncated": "true"}
    long_name = LISTED.kept({"team-" + "n" * 60: "v"})
    assert set(long_name) == {"team_" + "n" * 27, "truncated"}


def test_at_most_ten_are_kept() -> None:
    kept = LISTED.kept({f"team-{number}": "v" for number in range(30)})
    assert (len(kept), kept["truncated"]) == (11, "true")


def test_no_list_keeps_nothing() -> None:
    assert ContextAllowlist([]).kept({"x-ai-agent": "bot", "": "x"}) == {}
