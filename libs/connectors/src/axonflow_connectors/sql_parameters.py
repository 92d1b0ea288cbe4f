"""Named parameters in SQL: ``:name`` outside of strings and comments, given to the driver in the form it binds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from axonflow_connectors.faults import ConnectorFault, FaultKind

Dialect = Literal["postgres", "mysql"]

_SCALARS = (str, int, float, bool, type(None))

# What has no end ends with the statement, which the server then refuses: looking for an end from each beginning again
# would take time with the square of the length.
_COMMON = r"""(?P<block>/\*.*?(?:\*/|\Z))|(?P<cast>::)|(?P<name>:[A-Za-z_][A-Za-z0-9_]*)"""
_LEXERS = {
    "postgres": re.compile(
        r"""(?P<escaped>\b[eE]'(?:[^'\\]|''|\\.?)*(?:'|\Z))|(?P<string>'(?:[^']|'')*(?:'|\Z))"""
        r"""|(?P<quoted>"(?:[^"]|"")*(?:"|\Z))"""
        r"""|(?P<dollar>(?<![\w$])\$(?P<tag>[A-Za-z_]\w*|)\$.*?(?:\$(?P=tag)\$|\Z))|(?P<line>--[^\n]*)|""" + _COMMON,
        re.DOTALL,
    ),
    # In the sql_mode that the connector sets, double quotes are strings and backslashes escape.
    "mysql": re.compile(
        r"""(?P<string>'(?:[^'\\]|''|\\.?)*(?:'|\Z))|(?P<quoted>"(?:[^"\\]|""|\\.?)*(?:"|\Z))"""
        r"""|(?P<back>`(?:[^`]|``)*(?:`|\Z))"""
        r"""|(?P<line>(?:--(?=[\s\x00-\x1f]|\Z)|\#)[^\n]*)|(?P<mark>\?)|""" + _COMMON,
        re.DOTALL,
    ),
}


_BEFORE = re.compile(r"(?:\s|/\*.*?\*/|--[^\n]*(?:\n|\Z)|#[^\n]*(?:\n|\Z)|\()*([A-Za-z]*)", re.DOTALL)


def require_read(statement: str, words: tuple[str, ...]) -> None:
    """Refuse early, and in words, what the database would refuse as a read; the database remains the judge.

    Raises:
        ConnectorFault: the statement begins with none of ``words``.
    """
    match = _BEFORE.match(statement)
    if match is None or match.group(1).upper() not in words:
        raise ConnectorFault(FaultKind.READ_ONLY, f"This is a read: it begins with {', '.join(words)}")


def checked_statement(statement: str) -> str:
    """A statement that the server will read as it was judged.

    Raises:
        ConnectorFault: it is empty, or holds a NUL, where drivers in C end it.
    """
    if not statement.strip() or "\x00" in statement:
        raise ConnectorFault(FaultKind.REQUEST, "The statement is empty or holds a NUL")
    return statement


def checked_parameters(parameters: Mapping[str, Any] | Sequence[Any]) -> Mapping[str, Any] | Sequence[Any]:
    """Parameters that a database can bind.

    Raises:
        ConnectorFault: one is neither text, number, boolean nor null.
    """
    if isinstance(parameters, str):
        raise ConnectorFault(FaultKind.REQUEST, "Parameters must be an object or a list")
    values = parameters.values() if isinstance(parameters, Mapping) else parameters
    if not all(isinstance(value, _SCALARS) for value in values):
        raise ConnectorFault(FaultKind.REQUEST, "A parameter must be a text, a number, true, false or null")
    return parameters


def for_postgres(statement: str, parameters: Mapping[str, Any] | Sequence[Any]) -> tuple[str, list[Any]]:
    """``:name`` as ``$n``; a sequence is bound to the ``$n`` of the statement itself."""
    checked_statement(statement)
    if not isinstance(parameters, Mapping):
        return statement, list(checked_parameters(parameters))
    checked_parameters(parameters)
    places = {name: number for number, name in enumerate(parameters, 1)}
    rewritten = _rewrite("postgres", statement, parameters, lambda name: f"${places[name]}")
    return rewritten, list(parameters.values())


def for_mysql(statement: str, parameters: Mapping[str, Any] | Sequence[Any]) -> tuple[str, list[Any]]:
    """``:name`` and ``?`` as ``%s`` in order of appearance, every other per cent sign doubled."""
    checked_statement(statement)
    checked_parameters(parameters)
    taken: list[Any] = []
    marks = iter(() if isinstance(parameters, Mapping) else parameters)

    def bind(name: str) -> str:
        if name == "?":
            try:
                taken.append(next(marks))
            except StopIteration:
                raise ConnectorFault(FaultKind.REQUEST, "The statement has more ? than there are parameters") from None
        elif isinstance(parameters, Mapping):
            taken.append(parameters[name])
        return "%s"

    names = parameters if isinstance(parameters, Mapping) else {}
    rewritten = _rewrite("mysql", statement, names, bind, doubled=True)
    if next(marks, marks) is not marks:
        raise ConnectorFault(FaultKind.REQUEST, "There are more parameters than ? in the statement")
    return rewritten, taken


def _rewrite(
    dialect: Dialect, statement: str, names: Mapping[str, Any], bind: Callable[[str], str], *, doubled: bool = False
) -> str:
    used: set[str] = set()
    done, parts = 0, []

    def plain(text: str) -> str:
        return text.replace("%", "%%") if doubled else text

    for match in _LEXERS[dialect].finditer(statement):
        parts.append(plain(statement[done : match.start()]))
        done = match.end()
        word = match.group()
        if match.lastgroup == "mark":
            parts.append(bind("?"))
        elif match.lastgroup == "name" and word[1:] in names:
            used.add(word[1:])
            parts.append(bind(word[1:]))
        else:
            parts.append(plain(word))
    if left := [name for name in names if name not in used]:
        raise ConnectorFault(FaultKind.REQUEST, f"The statement does not use the parameter {left[0][:64]}")
    return "".join([*parts, plain(statement[done:])])
