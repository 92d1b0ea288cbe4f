"""Where texts and policies come from: standard input, files, the catalogue."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from axonflow_policy import Policy, TenantRule, catalogue


class CannotRead(Exception):
    """A text or a policy file that cannot be used; the message names it."""


class PolicyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file holds (docs/policy-file.md): policies with patterns, and tenant rules with conditions."""

    policy: tuple[Policy, ...] = ()
    rule: tuple[TenantRule, ...] = ()


def texts(paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and text of each path, ``-`` or none at all meaning standard input.

    Raises:
        CannotRead: a file is missing or not UTF-8.
    """
    for path in paths or ["-"]:
        try:
            data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
            yield ("stdin" if path == "-" else path), data.decode("utf-8")
        except OSError as error:
            raise CannotRead(f"{path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise CannotRead(f"{path}: not UTF-8 at byte {error.start}") from error


def policy_file(path: str | None) -> PolicyFile:
    """The ``[[policy]]`` and ``[[rule]]`` tables of a TOML file; nothing without one.

    Raises:
        CannotRead: the file is missing, not TOML, or holds anything else.
    """
    if path is None:
        return PolicyFile()
    try:
        document = tomllib.loads(Path(path).read_text("utf-8"))
        _refuse_strangers(path, document)
        return msgspec.convert(document, PolicyFile)
    except OSError as error:
        raise CannotRead(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise CannotRead(f"{path}: {error}") from error


def policies(path: str | None) -> tuple[Policy, ...]:
    """The catalogue, and beside it the policies of a file.

    Raises:
        CannotRead: as `policy_file`.
    """
    return catalogue() + policy_file(path).policy


def _refuse_strangers(path: str, document: Mapping[str, Any]) -> None:
    """A misspelt key would otherwise be a field that silently has its default."""
    for table, kind in (("policy", Policy), ("rule", TenantRule)):
        rows = document.get(table)
        for number, row in enumerate(rows if isinstance(rows, list) else (), 1):
            strange = sorted(set(row) - set(kind.__struct_fields__)) if isinstance(row, dict) else []
            if strange:
                raise CannotRead(f"{path}: {table} {number} has the unknown key {strange[0]!r}")
