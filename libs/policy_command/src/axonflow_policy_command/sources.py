"""Where texts and policies come from: standard input, files, the catalogue."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from axonflow_policy import Policy, catalogue


class CannotRead(Exception):
    """A text or a policy file that cannot be used; the message names it."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    policy: tuple[Policy, ...]


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


def policies(path: str | None) -> tuple[Policy, ...]:
    """The catalogue, and beside it the ``[[policy]]`` tables of a TOML file.

    Raises:
        CannotRead: the file is missing, not TOML, or not a list of policies.
    """
    if path is None:
        return catalogue()
    try:
        document = tomllib.loads(Path(path).read_text("utf-8"))
        return catalogue() + msgspec.convert(document, _File).policy
    except OSError as error:
        raise CannotRead(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise CannotRead(f"{path}: {error}") from error
