"""Which patterns may be written, and that trying one costs no more than the text is long."""

from __future__ import annotations

import time

import pytest
from axonflow_agent.policies.patterns import MOST_SHOWN, BadPattern, check_pattern, try_pattern


@pytest.mark.parametrize(
    "pattern",
    [r"\bproject-[a-z]{4,12}\b", "(?i)secret", r"[{]9999[}]", r"\{300\}", "(a|b)+c", r"^x$", "x" * 512, "(a)" * 10],
)
def test_a_pattern_that_the_engine_takes_is_taken(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "missing"),
        (r"(a)\1", "escape"),
        ("(?=a)b", "perl"),
        ("(?<!a)b", ""),
        ("a*", "empty"),
        (r"\b", "empty"),
        ("^", "empty"),
        ("x|", "empty"),
        ("(?m)$", "empty"),
        ("x" * 513, "512"),
        ("(a)" * 11, "groups"),
        ("a{256}", "255"),
        ("a{2,300}", "255"),
        ("(?:a{200}){200}", ""),
        ("caf\u00e9", "ASCII"),
        ("a\0b", "ASCII"),
    ],
)
def test_a_pattern_that_no_policy_may_have_is_refused_with_a_reason(pattern: str, reason: str) -> None:
    with pytest.raises(BadPattern, match=f"(?i){reason}"):
        check_pattern(pattern)


def test_matches_are_texts_of_the_input_as_it_was_written() -> None:
    tried = try_pattern(r"\d{3}-\d{2}", ("\u00fc \uff11\uff12\uff13\u201345!",))
    assert tried.results[0].matches == ("\uff11\uff12\uff13\u201345",)


def test_a_group_that_takes_no_part_is_empty_text() -> None:
    assert try_pattern("(a)|(b)", ("b",)).matches[0].groups == ("", "b")


def test_a_flood_of_matches_is_cut() -> None:
    tried = try_pattern("a", ("a" * 100_000,))
    assert len(tried.results[0].matches) == MOST_SHOWN


def test_a_pattern_made_to_hang_other_engines_does_not() -> None:
    started = time.process_time()
    tried = try_pattern("(?:a+)+b", ("a" * 50_000,))
    assert tried.results[0].matched is False
    assert time.process_time() - started < 5, "a backtracking engine would take longer than the universe has"


def test_a_refused_pattern_is_an_answer_and_not_an_error() -> None:
    tried = try_pattern("(", ("x",))
    assert (tried.valid, tried.results, tried.matches) == (False, (), ())
    assert (tried.error or "").startswith("Invalid regex pattern: ")
