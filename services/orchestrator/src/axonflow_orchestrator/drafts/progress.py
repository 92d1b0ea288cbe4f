"""How far a run has come, as its cursor carries it: where it stopped, and what it has counted."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

import msgspec
from axonflow_audit.filters import Position
from axonflow_contracts.errors import Fault


class Progress(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Counts are of the whole run, not of a page.

    Attributes:
        digest: of the draft that it belongs to.
        total: decisions in the window; None where counting took too long.
        after: the last decision that was held against the draft.
    """

    digest: str
    since: datetime
    until: datetime
    total: int | None
    after: Position | None = None
    sealed: int = 0
    record: int = 0
    nothing: int = 0
    flips: int = 0

    @property
    def seen(self) -> int:
        """Decisions that were held against the draft, or could not be."""
        return self.sealed + self.record + self.nothing

    def cursor(self) -> str:
        """The progress as clients carry it."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


def progress_of(cursor: str, digest: str) -> Progress:
    """Where a cursor of this draft points to.

    Raises:
        Fault: 400, it is none, or of another draft.
    """
    try:
        decoded = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(decoded, type=Progress)
    except (binascii.Error, msgspec.MsgspecError, UnicodeError, ValueError):
        found = None
    moments = [] if found is None else [found.since, found.until, *([found.after.created_at] if found.after else [])]
    is_sound = found is not None and all(moment.tzinfo is not None for moment in moments)
    if found is None or not is_sound or (found.after is not None and "\0" in found.after.id):
        raise Fault(400, "cursor must be a next_cursor of this run")
    if found.digest != digest:
        raise Fault(400, "cursor belongs to another draft: send the body of the first page with it")
    return found
