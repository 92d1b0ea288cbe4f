"""Every text of a question to a connector, and of its answer, each with where it stands.

A row is judged as the JSON object that it is: the name of a column says what a bare number in it means.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from axonflow_policy import Content, Part
from axonflow_policy.escapes import unescape

from axonflow_agent.openai.content import parts_of

CONNECTOR, STATEMENT, PARAMETERS, DATA, MESSAGE = "connector_type", "statement", "parameters", "data", "message"
NAME = "#key"  # the end of a path whose text is a parameter's name
_ASKER, _ANSWERER = "user", "tool"
_LONGEST_NAME = 32


def question(connector: str, statement: str, parameters: Mapping[str, Any]) -> Content:
    """The request side: the statement first, since the row keeps the beginning of what was judged.

    Of the parameters strings are judged as they are, numbers as their text, lists and objects as JSON; no truth value
    says anything (agent contract §1.10).
    """
    parts = [*parts_of(statement, STATEMENT), *_given(parameters), Part(CONNECTOR, connector)]
    return Content(tuple(Part(part.path, part.text, part.structured, _ASKER) for part in parts if part.text))


def rows_content(rows: Sequence[Any]) -> Content:
    """The response side of an answer in rows."""
    parts: list[Part] = []
    for index, row in enumerate(rows):
        text = as_json(row)
        parts.append(Part(f"{DATA}[{index}]", text, True, _ANSWERER))
        if "\\" in text:
            parts.append(Part(f"{DATA}[{index}]#unescaped", unescape(text), False, _ANSWERER))
    return Content(tuple(parts))


def message_content(message: str) -> Content:
    """The response side of an answer in text, which may be JSON."""
    parts = parts_of(message, MESSAGE)
    return Content(tuple(Part(part.path, part.text, is_object(part), _ANSWERER) for part in parts))


def as_json(value: Any) -> str:
    """``value`` as JSON text, with the characters that it has."""
    return json.dumps(value, ensure_ascii=False, default=str)


def digest(text: str) -> str:
    """SHA-256 of a text, hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def parameter_path(name: str, index: int) -> str:
    """Where a parameter stands; a name that could say something is counted instead."""
    return f"{PARAMETERS}.{name if _is_plain(name) else f'{{{index}}}'}"


def is_object(part: Part) -> bool:
    """Whether a text is a JSON object or list; one that only looks like it is judged, and masked, as prose."""
    if not part.structured or part.text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(part.text)
    except (ValueError, RecursionError):
        return False
    return True


def _given(parameters: Mapping[str, Any]) -> Iterator[Part]:
    for index, (name, value) in enumerate(parameters.items()):
        path = parameter_path(name, index)
        if not _is_plain(name):
            yield Part(f"{path}{NAME}", name)
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, str):
            yield from parts_of(value, path)
        elif isinstance(value, int | float):
            yield Part(path, str(value))
        else:
            yield from parts_of(as_json(value), path)


def _is_plain(name: str) -> bool:
    return name.isascii() and name.replace("_", "a").isalpha() and len(name) <= _LONGEST_NAME
