"""Time grows with the length of a text and no faster, also for texts made to be slow: floods and near-matches.

Ratios of processor time are compared, never times.
"""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

import pytest
from axonflow_contracts.verdicts import Phase
from axonflow_policy import Content, PolicySet

SIZE = 26_000
FACTOR = 4
# Linear work takes 4 times as long for 4 times the text, quadratic 16 times; a busy machine blurs both.
LIMIT = 9
# fmt: off
FLOODS = [
    "union/*", "'", "a@", "-----BEGIN PRIVATE KEY-----", "1 ", "((", " or 1", "grant a on ", "../", "; ", "password=",
    "eyJaaaaaaaaa.", "sk-", "4111 ", "1.1.1.1 ", "::", "phone ", "<|", "(select ", "update t set a=", "ignore all the ",
    "select a from b union select ", "curl ", "drop table ", "/**/", "\n", " ", "a", "é", "a1", "sleep(", "rm -",
    "concat(", "DOB ", "x'='", "--", "#\n", "passport number number ", "aws secret ", "eval('", "ssn ", "1-1-", "\\n",
]
# fmt: on


def seconds(policy_set: PolicySet, text: str, runs: int) -> float:
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        evaluation = policy_set.evaluate(Content.of(text), Phase.REQUEST)
        best = min(best, time.process_time() - start)
        assert evaluation.failure == ""
    return best


def growth(policy_set: PolicySet, unit: str) -> float:
    short = (unit * (SIZE // len(unit) + 1))[:SIZE]
    for runs in (1, 3):  # the first look will do where it shows nothing
        # A floor under the short run keeps microseconds of noise from looking like growth.
        ratio = seconds(policy_set, short * FACTOR, runs) / max(seconds(policy_set, short, runs), 0.001)
        if ratio < LIMIT:
            break
    return ratio


@pytest.mark.parametrize("unit", FLOODS)
def test_a_flood_costs_what_its_length_says(catalogue_set: PolicySet, unit: str) -> None:
    assert growth(catalogue_set, unit) < LIMIT


def test_a_flood_of_each_policys_own_matches_costs_what_its_length_says(catalogue_set: PolicySet) -> None:
    slow = {}
    for path in (Path(__file__).parent / "cases").glob("*.toml"):
        for policy_id, row in tomllib.loads(path.read_text("utf-8")).items():
            ratio = growth(catalogue_set, row["finds"][0]["text"] + "\n")
            if ratio >= LIMIT:
                slow[policy_id] = ratio
    assert slow == {}


def test_a_long_text_of_ordinary_prose_is_allowed_whole(catalogue_set: PolicySet) -> None:
    text = "The quick brown fox jumps over the lazy dog, said the clerk. " * 4000
    assert catalogue_set.evaluate(Content.of(text), Phase.REQUEST).matches == ()


def test_what_stands_at_the_end_of_a_long_text_is_found(catalogue_set: PolicySet) -> None:
    text = "lorem ipsum " * 100_000 + "SSN 123-45-6789"
    match = catalogue_set.evaluate(Content.of(text), Phase.REQUEST).matches[0]
    assert [text[start:end] for start, end in match.spans] == ["123-45-6789"]
