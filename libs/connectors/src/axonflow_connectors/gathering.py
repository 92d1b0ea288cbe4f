"""Limits while an answer arrives: rows and bytes are counted one by one, and the clock covers the whole call."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import decimal
import math
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Literal

import msgspec

from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.protocol import Limits, Rows, elapsed_ms

_DEEPEST = 64
_BATCH_BYTES = 1 << 20
_FIRST_BATCH, _LARGEST_BATCH = 16, 512


class Gathering:
    """Rows of one answer, taken until a limit is reached."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._started = time.perf_counter()
        self._rows: list[dict[str, Any]] = []
        self._bytes = 2  # the brackets of the list
        self._truncated: Literal["rows", "bytes"] | None = None

    def add(self, row: Mapping[str, Any]) -> bool:
        """Take one row; False when it does not fit and reading should stop."""
        if self._limits.max_rows and len(self._rows) >= self._limits.max_rows:
            self._truncated = "rows"
            return False
        ready = {str(name): json_value(value) for name, value in row.items()}
        try:
            size = len(msgspec.json.encode(ready)) + 1
        except UnicodeEncodeError as error:  # half of a surrogate pair
            raise ConnectorFault(FaultKind.FAILED, "The answer holds a text that is no valid Unicode") from error
        if self._limits.max_bytes and self._bytes + size > self._limits.max_bytes:
            self._truncated = "bytes"
            return False
        self._rows.append(ready)
        self._bytes += size
        return True

    def add_all(self, rows: Iterable[Mapping[str, Any]]) -> bool:
        """Take rows until one does not fit; False when that happened."""
        return all(self.add(row) for row in rows)

    @property
    def next_batch(self) -> int:
        """How many rows to fetch next, so that a batch of what was seen stays near a mebibyte."""
        if not self._rows:
            return _FIRST_BATCH
        fitting = _BATCH_BYTES * len(self._rows) // self._bytes
        return max(1, min(fitting, _LARGEST_BATCH, 2 * len(self._rows)))

    def finish(self) -> Rows:
        """The answer as far as it was taken."""
        return Rows(
            rows=self._rows,
            row_count=len(self._rows),
            truncated=self._truncated,
            bytes_read=self._bytes,
            duration_ms=elapsed_ms(self._started),
        )


@contextlib.asynccontextmanager
async def within(timeout_s: float) -> AsyncIterator[None]:
    """Turn the end of the time into a fault.

    Raises:
        ConnectorFault: of kind timeout.
    """
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as error:
        raise ConnectorFault(FaultKind.TIMEOUT, f"The connector did not answer within {timeout_s:g} s") from error


def json_value(value: Any, depth: int = 0) -> Any:  # noqa: PLR0911 - one line a type
    """What JSON can hold of a driver's value: exact numbers as text, times in ISO 8601, bytes as text or base64."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return text_or_base64(bytes(value))
    if depth >= _DEEPEST:
        raise ConnectorFault(FaultKind.FAILED, "The answer is nested too deeply")
    if isinstance(value, Mapping):
        return {str(name): json_value(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_value(inner, depth + 1) for inner in value]
    return str(value)


def text_or_base64(value: bytes) -> str:
    """UTF-8 as text, anything else as base64."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
