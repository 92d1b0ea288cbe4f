"""Arguments of tools are judged more strictly than prose: each value also as a text of its own."""

from __future__ import annotations

import json
import time

import pytest
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_policy import Content, Evaluation, Part, PolicySet

# A value of an argument, and its words inside a sentence.
STATEMENTS = [
    ("1 OR 1=1", "The filter 1 OR 1=1 matches every row of a table."),
    ("id=5 or 1=1", "Why does id=5 or 1=1 give me every row?"),
    ("DROP TABLE users", "We would never drop table users without a backup."),
    ("TRUNCATE sessions", "Could you truncate sessions in the summary to three lines?"),
    ("1 AND SLEEP(5)", "What does SLEEP(5) do in MySQL?"),
]
# What breaks out of a literal is stopped in a sentence too.
BREAK_OUTS = ["admin'--", "x' OR 'a'='a", "'; DROP TABLE users;--"]
ORDINARY: list[dict[str, object]] = [
    {"where": "status = 'open' OR priority > 3", "limit": 10},
    {"sql": "SELECT region, sum(total) FROM sales WHERE year = 2024 GROUP BY region"},
    {"sql": "SELECT a FROM t UNION SELECT b FROM u ORDER BY 1"},
    {"query": "how do I drop table users?"},
    {"text": "Select a restaurant and drop me a line", "to": "the team"},
    {"path": "src/app.py", "old_string": "x = a or b", "new_string": "x = a or b or c == 1"},
    {"title": "O'Brien's order", "note": "it's 5 or 6 -- ask him", "tags": ["'quoted'", "a;b", "--", "#1"]},
    {"city": "Union", "state": "NJ", "n": 1, "ok": True, "none": None, "": ""},
]


def judged(policy_set: PolicySet, text: str, *, structured: bool) -> Evaluation:
    return policy_set.evaluate(Content((Part("arguments", text, structured=structured),)), Phase.REQUEST)


@pytest.mark.parametrize(("value", "sentence"), STATEMENTS)
@pytest.mark.parametrize(
    "place", [lambda v: {"where": v}, lambda v: {"a": ["x", v], "b": 1}, lambda v: {"a": {"b": v}}]
)
def test_a_bare_statement_as_an_argument_is_stopped(catalogue_set: PolicySet, value, sentence, place) -> None:  # type: ignore[no-untyped-def]
    evaluation = judged(catalogue_set, json.dumps(place(value)), structured=True)
    assert evaluation.verdict is Verdict.BLOCKED
    assert all(match.category == "security-sqli" for match in evaluation.matches)
    assert judged(catalogue_set, sentence, structured=False).verdict is Verdict.ALLOWED


@pytest.mark.parametrize("value", BREAK_OUTS)
def test_a_break_out_in_an_argument_is_stopped(catalogue_set: PolicySet, value: str) -> None:
    assert judged(catalogue_set, json.dumps({"n": 1, "name": value}), structured=True).verdict is Verdict.BLOCKED


@pytest.mark.parametrize("arguments", ORDINARY)
def test_ordinary_arguments_pass(catalogue_set: PolicySet, arguments) -> None:  # type: ignore[no-untyped-def]
    assert judged(catalogue_set, json.dumps(arguments), structured=True).matches == ()


@pytest.mark.parametrize("value", ["1 OR 1=1", "\u00e9\n1 OR 1=1", "1 \u041eR 1=1", "1\tOR\t1=1"])
def test_a_finding_in_a_value_leads_back_to_the_arguments(catalogue_set: PolicySet, value: str) -> None:
    for escaped in (True, False):
        text = json.dumps({"a": "before", "where": value, "z": "after"}, ensure_ascii=escaped)
        (match,) = judged(catalogue_set, text, structured=True).matches
        ((start, end),) = match.spans
        assert text[start:end].endswith("1=1")
        assert text[start:end] in json.dumps(value, ensure_ascii=escaped)


def test_values_are_judged_apart(catalogue_set: PolicySet) -> None:
    assert judged(catalogue_set, '["1 OR", "1=1", "DROP TABLE", "users"]', structured=True).matches == ()


def test_what_names_an_argument_still_counts_for_its_number(catalogue_set: PolicySet) -> None:
    text = '{"price": "415-555-2671", "n": 1}'
    assert judged(catalogue_set, text, structured=True).matches == ()


@pytest.mark.parametrize(
    "text", ['{"where": "1 OR 1=1', '{"where": "1 OR 1=1\\', '"1 OR 1=1"', '["\\u12", "1 OR 1=1"]']
)
def test_arguments_that_are_no_json_are_judged_all_the_same(catalogue_set: PolicySet, text: str) -> None:
    assert judged(catalogue_set, text, structured=True).verdict is Verdict.BLOCKED


@pytest.mark.parametrize("unit", ['"', '\\"', '"a":', '"\\u0041', '["a",', '"a"\n'])
def test_a_flood_of_quotes_costs_what_its_length_says(catalogue_set: PolicySet, unit: str) -> None:
    def seconds(size: int) -> float:
        text = '{"a": "' + (unit * (size // len(unit) + 1))[:size]
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            assert judged(catalogue_set, text, structured=True).failure == ""
            best = min(best, time.process_time() - started)
        return best

    # Linear work takes 4 times as long for 4 times the text, quadratic 16 times; the floor keeps noise out.
    assert seconds(104_000) / max(seconds(26_000), 0.002) < 9
