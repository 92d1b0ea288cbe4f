"""The services' log files: what one said last, printing and following them, keeping them from filling the disk."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

LIMIT_BYTES = 64 << 20
TAIL_BYTES = 64 << 10
LINES_SHOWN = 60
FOLLOW_PAUSE_S = 0.3
MESSAGE_KEYS = ("message", "msg", "event")


def last_sentence(path: Path, since: int = 0) -> str:
    """What was said last in a log, from byte ``since`` on; the message alone of a JSON line, "" when nothing was."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(min(since, size), size - TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return spoken_last(lines)


def spoken_last(lines: Sequence[str]) -> str:
    """The last line that is not blank; of a JSON line only its message and the last line of its error."""
    return _message(next((line.strip() for line in reversed(lines) if line.strip()), ""))


def _message(line: str) -> str:
    try:
        record = json.loads(line)
    except ValueError:
        return line
    if not isinstance(record, dict):
        return line
    parts = [str(record[key]) for key in MESSAGE_KEYS if record.get(key)][:1]
    cause = record.get("exception") or record.get("error") or ""
    if cause:
        parts.append(str(cause).strip().splitlines()[-1])
    return ": ".join(parts) or line


def limit_size(path: Path, limit_bytes: int = LIMIT_BYTES) -> bool:
    """Set a log that has grown past ``limit_bytes`` aside as ``.1`` and empty it; True when that was done.

    The writer keeps its file open in append mode, so the file is copied and cut, not moved. Lines written between the
    two are lost, which a log may.
    """
    with contextlib.suppress(OSError):
        if path.stat().st_size > limit_bytes:
            shutil.copyfile(path, path.with_name(path.name + ".1"))
            os.truncate(path, 0)
            return True
    return False


def show(logs: Mapping[str, Path], *, follow: bool) -> None:
    """Print the end of each log, every line with its service's name, then what is added until interrupted."""
    width = max(map(len, logs))
    positions: dict[str, int] = {}
    for name, path in logs.items():
        lines, positions[name] = _read_from(path, max(0, _size(path) - TAIL_BYTES))
        for line in lines[-LINES_SHOWN:]:
            _print(name, width, line)
    sys.stdout.flush()
    while follow:
        time.sleep(FOLLOW_PAUSE_S)
        for name, path in logs.items():
            start = positions[name] if _size(path) >= positions[name] else 0
            lines, positions[name] = _read_from(path, start)
            for line in lines:
                _print(name, width, line)
        sys.stdout.flush()


def _print(name: str, width: int, line: str) -> None:
    print(f"{name:<{width}} | {line}")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read_from(path: Path, start: int) -> tuple[list[str], int]:
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(start)
        whole = file.read()
        complete = whole[: whole.rfind(b"\n") + 1]
        return list(_lines(complete)), start + len(complete)
    return [], start


def _lines(data: bytes) -> Iterator[str]:
    yield from data.decode("utf-8", "replace").splitlines()
