"""Drives every row of the catalogue with the case files: what it finds, span by span, and what it leaves alone."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase
from axonflow_policy import Content, Phases, PolicySet, catalogue
from axonflow_policy.engines import Re2Engine, regexp

CASES = {
    path.stem: tomllib.loads(path.read_text("utf-8"))
    for path in sorted((Path(__file__).parent / "cases").glob("*.toml"))
}
POSITIVE = [
    pytest.param(policy_id, case["text"], case["spans"], id=f"{policy_id}-{number}")
    for rows in CASES.values()
    for policy_id, row in rows.items()
    for number, case in enumerate(row["finds"])
]
NEGATIVE = [
    pytest.param(policy_id, text, id=f"{policy_id}-{number}")
    for rows in CASES.values()
    for policy_id, row in rows.items()
    for number, text in enumerate(row["passes"])
]


# Rows that judge answers alone are driven as answers, all others as requests.
PHASES = {policy.id: Phase.REQUEST if policy.phases.covers(Phase.REQUEST) else Phase.RESPONSE for policy in catalogue()}


def found_by(policy_set: PolicySet, policy_id: str, text: str, phase: Phase | None = None) -> list[str]:
    evaluation = policy_set.evaluate(Content.of(text), phase or PHASES[policy_id])
    assert evaluation.failure == ""
    return [
        text[start:end] for match in evaluation.matches if match.policy_id == policy_id for start, end in match.spans
    ]


@pytest.mark.parametrize(("policy_id", "text", "spans"), POSITIVE)
def test_a_policy_finds_its_positives_with_exact_spans(
    catalogue_set: PolicySet, policy_id: str, text: str, spans: list[str]
) -> None:
    assert found_by(catalogue_set, policy_id, text) == spans


def test_a_policy_of_both_sides_finds_in_answers_what_it_finds_in_requests(catalogue_set: PolicySet) -> None:
    both_sides = {policy.id for policy in catalogue() if policy.phases is Phases.BOTH}
    for case in POSITIVE:
        policy_id, text, spans = case.values
        expected = spans if policy_id in both_sides or PHASES[str(policy_id)] is Phase.RESPONSE else []
        assert found_by(catalogue_set, str(policy_id), str(text), Phase.RESPONSE) == expected, case.id


@pytest.mark.parametrize(("policy_id", "text"), NEGATIVE)
def test_a_policy_leaves_its_neighbours_alone(catalogue_set: PolicySet, policy_id: str, text: str) -> None:
    assert found_by(catalogue_set, policy_id, text) == []


def test_every_row_of_the_catalogue_has_cases_both_ways_in_the_file_of_its_category() -> None:
    for policy in catalogue():
        row = CASES[policy.category][policy.id]
        assert len(row["finds"]) > 1, policy.id
        assert len(row["passes"]) > 1, policy.id


def test_every_case_belongs_to_a_row_of_the_catalogue() -> None:
    rows = {(policy.category, policy.id) for policy in catalogue()}
    assert {(category, policy_id) for category, file in CASES.items() for policy_id in file} <= rows


def test_both_engines_hit_the_same_patterns_on_every_case(catalogue_set: PolicySet) -> None:
    if catalogue_set.engine != "vectorscan":
        pytest.skip("hyperscan has no wheel for this machine, so there is one engine only")
    re2_engine = Re2Engine([regexp(policy.pattern) for policy in catalogue_set.policies])
    for case in POSITIVE + NEGATIVE:
        data = str(case.values[1]).encode()
        assert sorted(catalogue_set._engine.hits(data)) == sorted(re2_engine.hits(data)), case.id


# Ordinary things that people ask; nothing here may be blocked.
ORDINARY = [
    "| id | name | type |\n|----|------|------|\n| 1 | a | x |\n-- end of table --",
    "query = f\"SELECT * FROM users WHERE name = '{user}' AND active = 1\"\nHow do I fix this?",
    "SELECT id, -- user id\n  total # order total\nFROM u\nWHERE a = 'x' OR b = 'y'\nUNION\nSELECT id, 0 FROM old;",
    "RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*",
    "# Instructions\nFollow the rules below.\n## Rules\n1. Never reveal personal data.\n2. Ignore spelling mistakes.",
    "Select a restaurant and drop me a line",
    "how does GRANT work?",
    "SELECT * FROM users WHERE id = 1",
    "SELECT region, sum(total) FROM sales GROUP BY region UNION ALL SELECT 'all', sum(total) FROM sales",
    "What does DROP TABLE do?",
    "How do I write ALTER TABLE to add a column?",
    "ignore the previous typo",
    "Explain the difference between TRUNCATE TABLE and DELETE FROM in Postgres.",
    "Why do people write OR 1=1 in examples of SQL injection?",
    "Update the readme and set the version to 2.0 where it is mentioned",
    "print('done')  # comment\nif (a == 1  # first\n    and b == 2):\n    name = 'admin'  # default",
    "import { Card } from '../../../ui/Card'\nconst x = a || b && c;",
    "for i in range(3):\n    time.sleep(0.5)\n    print(f'{i} of {n}')",
    "CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'a'); SELECT * FROM t;",
    "When I open http://localhost:3000 in the browser the page is blank. What should I check?",
    "Write a system prompt for a support assistant. From now on, answer in French.",
    "Our backup runs at 02:00; restore takes 45 minutes. Grant proposals are due on 2027-03-01.",
    "git commit -m 'fix' && git push && docker compose up -d --build",
    "Please revoke the meeting invitation from John and grant the room to Maria.",
]


LINES = (Path(__file__).parent / "cases" / "ordinary.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("text", [*ORDINARY, *LINES])
def test_ordinary_questions_and_code_are_not_blocked(catalogue_set: PolicySet, text: str) -> None:
    evaluation = catalogue_set.evaluate(Content.of(text), Phase.REQUEST)
    assert (evaluation.verdict.value, [match.policy_id for match in evaluation.matches]) == ("allowed", [])


def test_an_injection_inside_a_sentence_is_blocked(catalogue_set: PolicySet) -> None:
    evaluation = catalogue_set.evaluate(
        Content.of("My name is Bob'; DROP TABLE users;-- nice to meet you"), Phase.REQUEST
    )
    assert evaluation.verdict == "blocked"


def test_the_release_notes_denial_comes_out_word_for_word(catalogue_set: PolicySet) -> None:
    evaluation = catalogue_set.evaluate(Content.of("My SSN is 123-45-6789"), Phase.REQUEST)
    assert (evaluation.verdict, evaluation.reason) == ("blocked", "Social Security Number detected")


def test_no_posture_is_needed_for_that_denial() -> None:
    ssn = next(policy for policy in catalogue() if policy.id == "sys_pii_ssn")
    policy_set = PolicySet.compile([ssn], Posture())
    assert policy_set.evaluate(Content.of("SSN 123-45-6789"), Phase.REQUEST).matches[0].origin == "stored"
