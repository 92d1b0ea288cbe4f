"""Named parameters: found where SQL has code, left alone in strings, comments and casts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from axonflow_connectors import ConnectorFault, FaultKind
from axonflow_connectors.sql_parameters import for_mysql, for_postgres, require_read

V = {"a": 1, "b": "x"}


@pytest.mark.parametrize(
    ("statement", "rewritten"),
    [
        ("SELECT :a, :b, :a", "SELECT $1, $2, $1"),
        ("SELECT :a::text, ':b', :b", "SELECT $1::text, ':b', $2"),
        ('SELECT ":a", :a -- :b\n, :b', 'SELECT ":a", $1 -- :b\n, $2'),
        ("SELECT $$ :a $$, $t$ :b $t$, :a, :b", "SELECT $$ :a $$, $t$ :b $t$, $1, $2"),
        (r"SELECT E'\' :a', :a, /* :b */ :b", r"SELECT E'\' :a', $1, /* :b */ $2"),
        (r"SELECT '\', :a, :b", r"SELECT '\', $1, $2"),
        ("SELECT x[1:2], :a, :b, :c, 'it''s :a'", "SELECT x[1:2], $1, $2, :c, 'it''s :a'"),
        ("SELECT '100%', :a, :b", "SELECT '100%', $1, $2"),
    ],
)
def test_postgres_gets_numbers(statement: str, rewritten: str) -> None:
    assert for_postgres(statement, V) == (rewritten, [1, "x"])


def test_postgres_keeps_its_own_numbers_for_a_list() -> None:
    assert for_postgres("SELECT $1, ':a', '%'", [5]) == ("SELECT $1, ':a', '%'", [5])


@pytest.mark.parametrize(
    ("statement", "rewritten", "values"),
    [
        ("SELECT :b, :a, :b", "SELECT %s, %s, %s", ["x", 1, "x"]),
        ("SELECT ':a', \":b\", `:a`, :a, :b", "SELECT ':a', \":b\", `:a`, %s, %s", [1, "x"]),
        (r"SELECT 'it\'s :a', :a, :b", r"SELECT 'it\'s :a', %s, %s", [1, "x"]),
        ("SELECT '100%', 5 % :a # :b\n, :b", "SELECT '100%%', 5 %% %s # :b\n, %s", [1, "x"]),
        ("SELECT 1--:a\n, :b -- :a", "SELECT 1--%s\n, %s -- :a", [1, "x"]),
    ],
)
def test_mysql_gets_places_in_order(statement: str, rewritten: str, values: list[object]) -> None:
    assert for_mysql(statement, V) == (rewritten, values)


def test_mysql_fills_question_marks_from_a_list() -> None:
    assert for_mysql("SELECT ?, '?', ? /* ? */", [1, 2]) == ("SELECT %s, '?', %s /* ? */", [1, 2])
    for values in ([1], [1, 2, 3]):
        with pytest.raises(ConnectorFault, match="parameters"):
            for_mysql("SELECT ?, ?", values)


def test_a_parameter_that_is_not_used_is_told() -> None:
    for bind in (for_postgres, for_mysql):
        with pytest.raises(ConnectorFault, match="does not use the parameter b"):
            bind("SELECT :a, ':b'", V)


@pytest.mark.parametrize("statement", ["SELECT 1\x00; DROP TABLE x", "", " \n"])
def test_a_statement_that_a_driver_would_cut_is_refused(statement: str) -> None:
    for bind in (for_postgres, for_mysql):
        with pytest.raises(ConnectorFault) as fault:
            bind(statement, ())
        assert fault.value.kind is FaultKind.REQUEST


@pytest.mark.parametrize("statement", ["SELECT 1", " ( select 1)", "/* x */ SELECT 1", "-- x\nSELECT 1", "#\nSELECT 1"])
def test_a_read_may_begin_with_comments_and_brackets(statement: str) -> None:
    require_read(statement, ("SELECT",))


@pytest.mark.parametrize("statement", ["", "DROP TABLE x", "/* SELECT */ DELETE FROM x", "-- SELECT 1", "SELECTED"])
def test_what_does_not_begin_as_a_read_is_none(statement: str) -> None:
    with pytest.raises(ConnectorFault) as fault:
        require_read(statement, ("SELECT",))
    assert fault.value.kind is FaultKind.READ_ONLY


@pytest.mark.parametrize("opened", ["/* :a, :b", "' :a, :b", '" :a, :b', "$t$ :a, :b", r"E'\' :a, :b", r"E' :a, :b \ "])
def test_what_has_no_end_ends_with_the_statement(opened: str) -> None:
    with pytest.raises(ConnectorFault, match="does not use the parameter"):
        for_postgres(f"SELECT {opened}", V)


def test_a_dollar_inside_of_a_name_begins_no_string() -> None:
    assert for_postgres("SELECT a$b$c, :a, :b", V) == ("SELECT a$b$c, $1, $2", [1, "x"])


@pytest.mark.parametrize(
    ("bind", "made"),
    [
        (for_postgres, lambda n: "SELECT " + "".join(f"$a{i}$ " for i in range(n))),
        (for_postgres, lambda n: "SELECT E'" + "\\'" * n + "\\"),
        (for_mysql, lambda n: "SELECT '" + "\\'" * n + "\\"),
        (for_mysql, lambda n: "SELECT " + "/* " * n),
    ],
)
def test_the_time_grows_with_the_length_and_not_with_its_square(
    bind: Callable[[str, Any], Any], made: Callable[[int], str]
) -> None:
    def took(size: int) -> float:
        statement, times = made(size), []
        for _ in range(3):
            started = time.process_time()
            bind(statement, {})
            times.append(time.process_time() - started)
        return min(times)

    # 16 times as long; the square would be 256 times.
    assert took(16_000) < 80 * max(took(1_000), 1e-4)
