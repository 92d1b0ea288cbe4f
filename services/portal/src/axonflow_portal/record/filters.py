"""What a reader of the record asked to see, read from a query string and written back into links. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Plane, Verdict

LONGEST_TEXT = 200
LONGEST_CURSOR = 2_000
WINDOWS: Mapping[str, timedelta | None] = MappingProxyType(
    {
        "1h": timedelta(hours=1),
        "24h": timedelta(hours=24),
        "7d": timedelta(days=7),
        "30d": timedelta(days=30),
        "all": None,
    }
)
DEFAULT_WINDOW = "24h"
CHARTED = ("24h", "7d", "30d")


class DecisionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of decisions shows; "" asks for nothing.

    Attributes:
        window: how far back, one of `WINDOWS`; ``since`` and ``until`` come before it.
        since: a UTC minute as ``datetime-local`` fields write it.
        policy: part of the name or id of a policy that matched.
        client: part of a client id.
        id: a decision id, whole.
        cursor: where the page before this one ended.
    """

    window: str = DEFAULT_WINDOW
    since: str = ""
    until: str = ""
    verdict: str = ""
    policy: str = ""
    client: str = ""
    plane: str = ""
    trace_id: str = ""
    id: str = ""
    cursor: str = ""

    @property
    def narrows(self) -> bool:
        """Whether more than the time is asked for."""
        return bool(self.verdict or self.policy or self.client or self.plane or self.trace_id or self.id)

    @property
    def dated(self) -> bool:
        """Whether moments stand in place of a window."""
        return bool(self.since or self.until)

    def query(self, **changes: Any) -> str:
        """This filter as a query string, some fields changed; ``?`` included. A changed filter begins at its top."""
        fields = {**msgspec.structs.asdict(self), "cursor": "", **changes}
        if fields["window"] == DEFAULT_WINDOW:
            fields["window"] = ""
        pairs = [(name, value) for name, value in fields.items() if value]
        return f"?{urlencode(pairs)}" if pairs else ""

    def asked(self, now: datetime) -> list[tuple[str, str]]:
        """The same in the words of the orchestrator's search."""
        words = {
            "start_time": self._start(now),
            "end_time": f"{self.until}:59.999999Z" if self.until else "",
            "action": self.verdict,
            "policy_name": self.policy,
            "client_id": self.client,
            "plane": self.plane,
            "trace_id": self.trace_id,
            "decision_id": self.id,
        }
        return [(name, value) for name, value in words.items() if value]

    def _start(self, now: datetime) -> str:
        if self.since:
            return f"{self.since}:00Z"
        span = None if self.until else WINDOWS[self.window]
        return "" if span is None else stamp(now - span)


def parse_decisions(params: Mapping[str, str]) -> DecisionFilter:
    """Read a filter; unknown parameters are left alone.

    An id is looked for in everything that is kept, unless a time is named with it.

    Raises:
        Fault: 400, a value is none of its parameter's.
    """
    exact = any(params.get(name, "").strip() for name in ("id", "trace_id"))
    return DecisionFilter(
        window=_one_of(params, "window", tuple(WINDOWS)) or ("all" if exact else DEFAULT_WINDOW),
        since=_minute(params, "since"),
        until=_minute(params, "until"),
        verdict=_one_of(params, "verdict", tuple(verdict.value for verdict in Verdict)),
        policy=_text(params, "policy"),
        client=_text(params, "client"),
        plane=_one_of(params, "plane", tuple(plane.value for plane in Plane)),
        trace_id=_text(params, "trace_id"),
        id=_text(params, "id"),
        cursor=_text(params, "cursor", LONGEST_CURSOR),
    )


def parse_window(params: Mapping[str, str]) -> str:
    """The window of a chart.

    Raises:
        Fault: 400.
    """
    return _one_of(params, "window", CHARTED) or DEFAULT_WINDOW


def parse_client(params: Mapping[str, str]) -> str:
    """A whole client id.

    Raises:
        Fault: 400.
    """
    return _text(params, "client")


def span_of(window: str) -> timedelta:
    """How long a chart's window is."""
    span = WINDOWS[window]
    assert span is not None, window  # noqa: S101 - charts take `CHARTED` alone
    return span


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _one_of(params: Mapping[str, str], name: str, legal: tuple[str, ...]) -> str:
    text = params.get(name, "").strip()
    if text and text not in legal:
        raise Fault(400, f"{name} must be one of {', '.join(legal)}")
    return text


def _text(params: Mapping[str, str], name: str, longest: int = LONGEST_TEXT) -> str:
    text = params.get(name, "").strip()
    if len(text) > longest or "\0" in text:
        raise Fault(400, f"{name} must be at most {longest} characters of text")
    return text


def _minute(params: Mapping[str, str], name: str) -> str:
    text = params.get(name, "").strip()
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
        return f"{moment.astimezone(UTC) if moment.tzinfo else moment:%Y-%m-%dT%H:%M}"
    except (ValueError, OverflowError):
        raise Fault(400, f"{name} must be a UTC time such as 2026-01-31T12:00") from None
