"""Which of a gateway's context values are kept, and how much of each (agent contract §1.7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

MOST_KEYS, LONGEST_KEY, LONGEST_VALUE_BYTES = 10, 32, 256
TRUNCATED = "truncated"
_NOT_SNAKE = re.compile(r"[^a-z0-9]+")


class ContextAllowlist:
    """Names that an operator lets into rows and spans; ``*`` at the end of one stands for any rest.

    Letter case, ``-`` and ``_`` make no difference.
    """

    def __init__(self, names: Iterable[str]) -> None:
        wanted = tuple(names)
        self._exact = frozenset(_snake(name) for name in wanted if not name.endswith("*"))
        self._prefixes = tuple(_snake(name[:-1], whole=False) for name in wanted if name.endswith("*"))

    def kept(self, context: Mapping[str, Any]) -> dict[str, str]:
        """The values to keep, by lower_snake name; ``truncated`` is one of them when a limit took something away."""
        found: dict[str, str] = {}
        cut = False
        for key, value in context.items():
            name = _snake(key)
            if not isinstance(value, str) or not name or not self._allows(name) or name[:LONGEST_KEY] in found:
                continue
            if len(found) == MOST_KEYS:
                cut = True
                break
            short = _short(value)
            cut = cut or short != value or len(name) > LONGEST_KEY
            found[name[:LONGEST_KEY]] = short
        return {**found, TRUNCATED: "true"} if cut else found

    def _allows(self, name: str) -> bool:
        return name in self._exact or name.startswith(self._prefixes)


def _snake(name: str, *, whole: bool = True) -> str:
    snake = _NOT_SNAKE.sub("_", name[:LONGEST_VALUE_BYTES].lower()).lstrip("_")
    return snake.rstrip("_") if whole else snake


def _short(value: str) -> str:
    """The beginning of ``value`` that fits, ending with a whole character."""
    # Bytes are counted as PostgreSQL and OTLP do; a lone surrogate is no character of either.
    return value.encode("utf-8", "replace")[:LONGEST_VALUE_BYTES].decode("utf-8", "ignore")
