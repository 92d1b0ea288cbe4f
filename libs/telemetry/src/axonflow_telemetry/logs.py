"""Structured logs: one JSON object a line on stderr, safe to read in a terminal and to split at newlines.

A record can neither forge a second line nor print a credential of a connection string; ``Secret`` masks itself.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TextIO

_LONGEST_TEXT = 8_192
_URL_CREDENTIALS = re.compile(r"(?<=://)([^\s/@:]*):[^\s/@]*@")
_DSN_PASSWORD = re.compile(r"(?i)\b(password|passwd)=(?:'(?:[^'\\]|\\.)*'|\S+)")
# What every record has; the rest of its attributes came in through ``extra=``.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_trace_id: contextvars.ContextVar[str] = contextvars.ContextVar("axonflow_trace_id", default="")


@contextlib.contextmanager
def trace_scope(trace_id: str) -> Iterator[None]:
    """Within it, every record of this task carries ``trace_id``."""
    token = _trace_id.set(trace_id)
    try:
        yield
    finally:
        _trace_id.reset(token)


def current_trace_id() -> str:
    """The trace id of the call this task works on, or ``""``."""
    return _trace_id.get()


class JsonLines(logging.Formatter):
    """Renders a record as one line of ASCII JSON."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service
        self._second = (0, "1970-01-01T00:00:00")

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its newline."""
        line: dict[str, object] = {
            "timestamp": self._timestamp(record.created),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": _clean(record.getMessage()),
        }
        if trace_id := getattr(record, "trace_id", "") or _trace_id.get():
            line["trace_id"] = trace_id
        for name, value in vars(record).items():
            if name not in _STANDARD and name not in line:
                line[name] = _clean(value) if isinstance(value, str) else value
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = _clean(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = _clean(record.stack_info)
        # ASCII output escapes line separators, bidi controls and lone surrogates; json leaves DEL alone.
        return _ENCODER.encode(line).replace("\x7f", "\\u007f")

    def _timestamp(self, created: float) -> str:
        """RFC 3339 in UTC with milliseconds; a second is written out once, however many lines fall into it."""
        whole = int(created)
        second, text = self._second
        if second != whole:
            text = datetime.fromtimestamp(whole, UTC).isoformat()[:19]
            self._second = (whole, text)
        return f"{text}.{int((created - whole) * 1000):03d}+00:00"


def _clean(text: str) -> str:
    """``text`` without credentials in addresses and connection strings, cut to a bounded length."""
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + f"… ({len(text)} characters)"
    # Every line of every request comes through here: a look for the one sign that each form must have costs a
    # hundredth of its search.
    if "://" in text:
        text = _URL_CREDENTIALS.sub(r"\1:********@", text)
    if "=" in text:
        text = _DSN_PASSWORD.sub(r"\1=********", text)
    return text


def _plain(value: object) -> str:
    return _clean(str(value))


_ENCODER = json.JSONEncoder(ensure_ascii=True, default=_plain)  # json.dumps makes a new one a line


def configure_logs(service: str, level: str = "info", *, stream: TextIO | None = None) -> None:
    """Make stderr (or ``stream``) the one place for logs, as JSON lines; Python warnings go there too.

    Args:
        service: the ``service`` field of each line.
        level: ``debug``, ``info``, ``warning`` or ``error``.
        stream: where to write, for tests.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
