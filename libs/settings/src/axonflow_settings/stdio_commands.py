"""Command lines of MCP servers that the operator lets run; nobody else's text ever becomes a command."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Mapping

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class StdioCommand:
    """One entry.

    Attributes:
        name: what an install calls it.
        argv: the program by its absolute path, and its arguments; no shell reads them.
        environment: variables that the operator gave to it.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]


def stdio_commands(text: str) -> tuple[StdioCommand, ...]:
    """Entries apart by ``;``: ``files=/usr/bin/mcp-files --root /data; git=TOKEN_FILE=/run/t /opt/mcp-git``.

    Raises:
        ValueError: with a phrase that completes "AXONFLOW_MCP_STDIO_COMMANDS must be …".
    """
    found: dict[str, StdioCommand] = {}
    for entry in filter(None, (part.strip() for part in text.split(";"))):
        name, _, line = (part.strip() for part in entry.partition("="))
        if not _NAME.fullmatch(name):
            raise ValueError(f"a list of name=command line, apart by semicolons; {name[:64]!r} is no name")
        if name in found:
            raise ValueError(f"a list of different names; {name} is there twice")
        found[name] = _command(name, line)
    return tuple(found.values())


def _command(name: str, line: str) -> StdioCommand:
    try:
        words = shlex.split(line)
    except ValueError:
        raise ValueError(f"well quoted; the command line of {name} is not") from None
    environment = {}
    while words and (match := _VARIABLE.fullmatch(words[0])):
        environment[match[1]] = match[2]
        words.pop(0)
    if not words or not words[0].startswith("/"):
        raise ValueError(f"a list of programs by their absolute path; that of {name} is none")
    return StdioCommand(name, tuple(words), environment)
