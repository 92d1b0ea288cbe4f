"""Rows for calls that are refused before they are governed, folded when one address floods (rulings §5).

The first twenty a second of one address, reason and tenant get a row each; the others of that second share one row
that counts them, so that a flood fills neither the table nor the batches of other callers.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
import uuid
from collections.abc import Awaitable, Callable

import msgspec

from axonflow_audit.errors import AuditUnavailable
from axonflow_audit.link import stop
from axonflow_audit.rows import AuditEntry, AuditRow

logger = logging.getLogger(__name__)

FREE_PER_S = 20
_WINDOW_S = 1.0
# Addresses are cheap for an attacker (IPv6): beyond this many at once, they share a fold per reason.
_MOST_KEYS = 10_000
MANY_ADDRESSES = "many"

# Address, reason, organisation and tenant: what one tenant's calls were refused for is never counted to another.
_Key = tuple[str, str, str, str]


@dataclasses.dataclass(slots=True)
class _Window:
    ends_at_s: float
    seen: int = 0
    folded: AuditRow | None = None
    folded_count: int = 0


class FoldWindows:
    """Which refusals get a row of their own, and what is owed for the others; pure but for the numbers it keeps."""

    def __init__(self, free_per_s: int = FREE_PER_S, most_keys: int = _MOST_KEYS) -> None:
        self._free = free_per_s
        self._most_keys = most_keys
        self._windows: dict[_Key, _Window] = {}

    @property
    def empty(self) -> bool:
        """Whether no window is open."""
        return not self._windows

    def admit(self, row: AuditRow, address: str, reason: str, now_s: float) -> list[AuditRow]:
        """The rows to write now: this one, unless it folds, and the fold of a window that is over."""
        key = (address, reason, row.org_id, row.tenant_id)
        if key not in self._windows and len(self._windows) >= self._most_keys:
            key = (MANY_ADDRESSES, *key[1:])
        window = self._windows.get(key)
        due: list[AuditRow] = []
        if window is None or now_s >= window.ends_at_s:
            if window is not None:
                due = _owed(window)
            window = self._windows[key] = _Window(now_s + _WINDOW_S)
        window.seen += 1
        if window.seen <= self._free:
            return [*due, row]
        if window.folded is None:
            window.folded = row
        elif window.folded.client_id != row.client_id:  # community callers name themselves as they like
            window.folded = msgspec.structs.replace(window.folded, client_id="")
        window.folded_count += row.folded_count
        return due

    def due(self, now_s: float) -> list[AuditRow]:
        """The folds of all windows that are over; ``now_s=inf`` closes every window."""
        over = [key for key, window in self._windows.items() if now_s >= window.ends_at_s]
        return [row for key in over for row in _owed(self._windows.pop(key))]


def _owed(window: _Window) -> list[AuditRow]:
    if window.folded is None:
        return []
    return [msgspec.structs.replace(window.folded, id=str(uuid.uuid4()), folded_count=window.folded_count)]


class RefusalFold:
    """Writes rows of refused calls, each or folded."""

    def __init__(
        self,
        write: Callable[[AuditEntry], Awaitable[None]],
        *,
        clock: Callable[[], float] = time.monotonic,
        free_per_s: int = FREE_PER_S,
    ) -> None:
        """Take ``AuditLog.write`` and a monotonic clock in seconds."""
        self._write = write
        self._clock = clock
        self._windows = FoldWindows(free_per_s)
        self._unwritten: list[AuditRow] = []
        self._ticker: asyncio.Task[None] | None = None

    async def refuse(self, row: AuditRow, *, address: str, reason: str) -> None:
        """Record a refused call; returns when its own row is durable, at once when it folds.

        Args:
            row: org ``ORG_ID``, tenant ``unauthenticated``, verdict ``error`` or ``blocked``.
            address: the peer's address; added to the row's metadata as ``client_address``.
            reason: a short word of ours, such as ``malformed``, ``too_large``, ``unauthenticated``.

        Raises:
            AuditUnavailable: no place takes the row.
        """
        row = msgspec.structs.replace(row, metadata={**row.metadata, "client_address": address, "refusal": reason})
        rows = self._windows.admit(row, address, reason, self._clock())
        if self._ticker is None or self._ticker.done():
            self._ticker = asyncio.create_task(self._tick(), name="audit-refusal-fold")
        for each in rows:
            await self._write(AuditEntry(each))

    async def flush(self, now_s: float = float("inf")) -> None:
        """Write the folds whose windows are over at ``now_s``; a row that no place takes is kept for the next time."""
        rows, self._unwritten = [*self._unwritten, *self._windows.due(now_s)], []
        for row in rows:
            try:
                await self._write(AuditEntry(row))
            except AuditUnavailable:
                self._unwritten.append(row)

    async def close(self) -> None:
        """Write what is owed; call it before the log is closed."""
        if self._ticker is not None:
            await stop(self._ticker)
        await self.flush()
        if self._unwritten:
            lost = sum(row.folded_count for row in self._unwritten)
            logger.error("%d refused calls are not in the record: no place takes their rows", lost)

    async def _tick(self) -> None:
        while not self._windows.empty or self._unwritten:
            await asyncio.sleep(_WINDOW_S)
            await self.flush(self._clock())
