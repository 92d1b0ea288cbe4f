"""Two engines as one: the shared set's, and the small one of a tenant's own policies; neither is compiled again."""

from __future__ import annotations

from axonflow_policy.engines import Engine


class JoinedEngine:
    """Scans with both; the second's indexes begin where the first's end.

    It goes by the first's name: which engine judges the second layer changes no match, so it names no other set.

    Args:
        base: the engine of the shared set.
        size: how many patterns ``base`` has.
        own: the engine of the second layer.
    """

    def __init__(self, base: Engine, size: int, own: Engine) -> None:
        self.name = base.name
        self.by_re2 = (*base.by_re2, *(size + index for index in own.by_re2))
        self._base = base
        self._size = size
        self._own = own

    def hits(self, data: bytes) -> list[int]:
        """Indexes of the patterns of either layer that occur in ``data``."""
        found = self._base.hits(data)
        own = self._own.hits(data)
        return [*found, *(self._size + index for index in own)] if own else found

    def dump(self) -> bytes:
        """Nothing: each layer is kept by itself."""
        return b""
