"""Trace identity of one call: taken from a valid W3C ``traceparent``, made up otherwise.

It refuses to guess: a header that breaks the recommendation is ignored whole, as the recommendation asks.
"""

from __future__ import annotations

import dataclasses
import re
import secrets

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16
_LONGEST_HEADER = 512  # later versions may append fields; this much of them is plenty


@dataclasses.dataclass(frozen=True, slots=True)
class TraceContext:
    """Where a call stands in its trace (W3C Trace Context, section 3.2).

    Attributes:
        trace_id: 32 lower-case hex digits, never all zero.
        span_id: 16 hex digits of this service's own span.
        parent_span_id: the caller's span, or ``None`` when this service began the trace.
        sampled: the caller's sampled flag; true when this service began the trace.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None = None
    sampled: bool = True

    @classmethod
    def from_headers(cls, traceparent: str | None) -> TraceContext:
        """The caller's trace when ``traceparent`` is valid, else a new one."""
        parsed = _parse(traceparent) if traceparent else None
        if parsed is None:
            return cls(trace_id=_hex(16), span_id=_hex(8))
        trace_id, parent_span_id, sampled = parsed
        return cls(trace_id=trace_id, span_id=_hex(8), parent_span_id=parent_span_id, sampled=sampled)

    def child_traceparent(self) -> str:
        """The header for a call that this service makes: this trace, this service's span as the parent."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def _parse(header: str) -> tuple[str, str, bool] | None:
    """Trace id, parent id and sampled flag, or ``None`` for anything the recommendation calls invalid."""
    if len(header) > _LONGEST_HEADER:
        return None
    match = _TRACEPARENT.fullmatch(header.strip(" \t"))
    if match is None:
        return None
    version, trace_id, parent_id, flags, more = match.groups()
    # Version ff is forbidden; version 00 has exactly four fields; later ones may carry more.
    if version == "ff" or (version == "00" and more is not None):
        return None
    if trace_id == _NO_TRACE or parent_id == _NO_SPAN:
        return None
    return trace_id, parent_id, bool(int(flags, 16) & 1)


def _hex(size: int) -> str:
    """``size`` random bytes in hex, never all zero (zero means "invalid" on the wire)."""
    while True:
        text = secrets.token_hex(size)
        if text.strip("0"):
            return text
