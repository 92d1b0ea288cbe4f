"""Values into paths and queries: each is encoded for the place where it stands and can neither leave nor add to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from axonflow_connectors.faults import ConnectorFault, FaultKind

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
# What a path or query may be written with (RFC 3986), besides places for values.
_LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_DOTS = {".", "..", "%2e", "%2e%2e", ".%2e", "%2e."}


def fill(template: str, values: Mapping[str, Any]) -> tuple[str, set[str]]:
    """A path with an optional query, with values in its places; also the names that were used.

    Raises:
        ConnectorFault: of kind request; the template or a value could lead elsewhere.
    """
    if not template.startswith("/") or template.startswith("//"):
        raise _refusal("The path must begin with one slash")
    if not _LITERAL.fullmatch(_PLACE.sub("", template)):
        raise _refusal("The path holds a character that must be encoded; values are given as {name}")
    path, mark, query = template.partition("?")
    used: set[str] = set()

    def encoded(match: re.Match[str]) -> str:
        name = match.group(1)
        used.add(name)
        if name not in values:
            raise _refusal(f"The path names {{{name[:64]}}}, which is not among the parameters")
        return quote(scalar(name, values[name]), safe="")

    filled = _PLACE.sub(encoded, path)
    if any(segment.lower() in _DOTS for segment in re.split(r"[/;]|%2f|%5c", filled, flags=re.IGNORECASE)):
        raise _refusal("The path must not hold . or .. segments")
    return filled + mark + _PLACE.sub(encoded, query), used


def with_query(path: str, pairs: Iterable[tuple[str, Any]]) -> str:
    """``path`` with further query parameters; a list becomes several of one name."""
    parts = [
        f"{quote(name, safe='')}={quote(scalar(name, one), safe='')}"
        for name, value in pairs
        for one in (value if isinstance(value, list | tuple) else [value])
    ]
    if not parts:
        return path
    return f"{path}{'&' if '?' in path else '?'}{'&'.join(parts)}"


def scalar(name: str, value: Any) -> str:
    """A value as text; true and false as JSON writes them.

    Raises:
        ConnectorFault: it is neither text, number nor boolean, or it holds a control character.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise _refusal(f"The parameter {name[:64]} must be a text, a number or a boolean here")
    text = str(value)
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise _refusal(f"The parameter {name[:64]} holds a control character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _refusal(f"The parameter {name[:64]} is no valid Unicode") from None
    return text


def _refusal(message: str) -> ConnectorFault:
    return ConnectorFault(FaultKind.REQUEST, message)
