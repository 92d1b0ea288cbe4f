"""Nonces that this process has seen, in bounded memory."""

from __future__ import annotations

MOST_NONCES = 500_000  # some 60 MB; 4 000 calls a second through one window


class SeenNonces:
    """Remembers each nonce for exactly as long as its token could be accepted.

    Args:
        window_s: how far, in seconds, a token's time may lie from now in either direction.
        most: when so many are remembered, nothing new is accepted until some expire.
    """

    def __init__(self, window_s: int, most: int = MOST_NONCES) -> None:
        self._window_s = window_s
        self._most = most
        self._count = 0
        self._by_second: dict[int, set[str]] = {}
        self._swept_at = 0.0

    def claim(self, nonce: str, issued_at: int, now: float) -> bool:
        """Take a nonce whose token was made at ``issued_at``; false when it was seen, or memory is full."""
        if abs(now - self._swept_at) >= 1.0:
            self._sweep(now)
        seen = self._by_second.setdefault(issued_at, set())
        if nonce in seen or self._count >= self._most:
            return False
        seen.add(nonce)
        self._count += 1
        return True

    def _sweep(self, now: float) -> None:
        self._swept_at = now
        for second in [second for second in self._by_second if second < now - self._window_s]:
            self._count -= len(self._by_second.pop(second))
