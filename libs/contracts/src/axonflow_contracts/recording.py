"""How much of what was judged the record keeps (rulings section 5)."""

from __future__ import annotations

from enum import StrEnum


class InputMode(StrEnum):
    """From nothing to everything: no text; at most 500 redacted characters; those and the whole, sealed."""

    OFF = "off"
    REDACTED = "redacted"
    SEALED = "sealed"

    def within(self, ceiling: InputMode) -> InputMode:
        """This mode, or ``ceiling`` where that keeps less."""
        return min(self, ceiling, key=_ORDER.index)


_ORDER = tuple(InputMode)
