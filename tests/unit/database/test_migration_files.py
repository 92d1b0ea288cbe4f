"""The migration files keep to the numbering and to statements that may run twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlparse
from axonflow_database.migrate import MIGRATIONS

FILES = sorted(MIGRATIONS.iterdir())


def test_names_begin_with_a_number_of_their_own() -> None:
    numbers = [re.fullmatch(r"(\d{3})_[a-z_]+\.sql", path.name) for path in FILES]
    assert all(numbers)
    found = [int(number.group(1)) for number in numbers if number]
    assert len(set(found)) == len(found)


def test_the_guard_is_094_and_numbers_beside_it_stay_free() -> None:
    numbers = {int(path.name[:3]): path for path in FILES}
    assert "guard" in numbers[94].name
    assert not any(94 < number < 101 for number in numbers)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_statement_may_run_twice(path: Path) -> None:
    for statement in sqlparse.split(path.read_text()):
        text = sqlparse.format(statement, strip_comments=True).strip()
        bare = re.match(r"CREATE (TABLE|INDEX|UNIQUE INDEX|FUNCTION|PROCEDURE|TRIGGER) (?!IF NOT EXISTS)", text)
        assert not bare, text[:80]
        policy = re.match(r"CREATE POLICY (\w+) ON (\w+)", text)
        if policy:
            assert f"DROP POLICY IF EXISTS {policy.group(1)} ON {policy.group(2)};" in path.read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_times_know_their_zone_and_no_extension_is_asked_for(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\btimestamp\b(?!tz)", text)
    assert not re.search(r"CREATE EXTENSION", text, re.IGNORECASE)


def test_definer_functions_choose_their_search_path_and_are_closed_to_the_public() -> None:
    for path in FILES:
        text = path.read_text()
        for name, body in re.findall(r"CREATE OR REPLACE (?:FUNCTION|PROCEDURE) (\w+)\((.*?)\$\$", text, re.DOTALL):
            assert "SET search_path" in body, name
            assert re.search(rf"REVOKE ALL ON (FUNCTION|PROCEDURE) {name}\(.*\) FROM PUBLIC", text), name
