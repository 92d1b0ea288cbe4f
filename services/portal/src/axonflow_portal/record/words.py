"""The words that pages use for verdicts, planes, times and amounts. Presentation only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from axonflow_contracts.verdicts import WIRE_WORDS, Plane, Verdict, Wire
from markupsafe import Markup, escape

VERDICT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        Verdict.BLOCKED: "Blocked",
        Verdict.NEEDS_APPROVAL: "Needs approval",
        Verdict.REDACTED: "Redacted",
        Verdict.ERROR: "Error",
        Verdict.ALLOWED: "Allowed",
    }
)
# Strongest first, as charts and lists name them; `VERDICT_NAMES` stands in this order.
VERDICTS = tuple(VERDICT_NAMES)
VERDICT_OF_WORD: Mapping[str, str] = MappingProxyType(
    {word: verdict.value for verdict, word in WIRE_WORDS[Wire.AUDIT_ENTRY].items()}
)
PLANE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        Plane.OPENAI: "OpenAI gateway",
        Plane.PROXY: "Proxy Mode",
        Plane.GATEWAY: "Gateway Mode",
        Plane.DECISION: "Decision Mode",
        Plane.MCP: "MCP",
    }
)
WINDOW_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "1h": "Last hour",
        "24h": "Last 24 hours",
        "7d": "Last 7 days",
        "30d": "Last 30 days",
        "all": "Everything kept",
    }
)
SCOPE_NAMES: Mapping[str, str] = MappingProxyType(
    {"global": "The whole organization", "tenant": "Tenant", "client": "Client", "policy": "Policy"}
)
# The masks of the record: a kind in brackets, or stars and crosses before the last digits.
_MASK = re.compile(r"\[REDACTED(?::[A-Za-z0-9_.-]*)?\]|(?:XXX-XX-|XXXX XXXX |\*{2,}[*-]*)[0-9]{0,4}")
_STEPS = ((timedelta(minutes=1), "s", 1), (timedelta(hours=1), "min", 60), (timedelta(days=2), "h", 3600))


def verdict_name(verdict: str) -> str:
    """A stored verdict for people; a word this page does not know stands for itself."""
    return VERDICT_NAMES.get(verdict, verdict)


def plane_name(plane: str) -> str:
    """The way in that a call took; an unknown one stands for itself."""
    return PLANE_NAMES.get(plane, plane)


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, such as ``5 min ago``."""
    passed = max(now - moment, timedelta(0))
    for limit, unit, seconds in _STEPS:
        if passed < limit:
            count = int(passed.total_seconds()) // seconds
            return "just now" if unit == "s" and count < 5 else f"{count} {unit} ago"
    return f"{passed.days} days ago"


def minute(moment: datetime) -> str:
    """A short UTC time such as ``4 Mar, 09:12:40``."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%b, %H:%M:%S}"


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun, such as ``1,204 calls``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def milliseconds(value: float) -> str:
    """A duration for people, such as ``340 ms`` or ``2.4 s``."""
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms" if value >= 1 else "under 1 ms"


def dollars(value: float) -> str:
    """An amount in USD with as many places as it needs."""
    return f"${value:,.2f}" if value >= 1 else f"${value:.6f}".rstrip("0").rstrip(".")


def percent(value: float) -> str:
    """A share of a hundred."""
    return f"{value:.0f}%" if value == round(value) else f"{value:.1f}%"


def excerpt(text: str) -> Markup:
    """A masked excerpt, escaped, its masks marked."""
    parts, end = [], 0
    for found in _MASK.finditer(text):
        parts += [escape(text[end : found.start()]), Markup("<mark>"), escape(found[0]), Markup("</mark>")]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def places(spans: tuple[tuple[int, int], ...], span_count: int) -> str:
    """Where in a part's text: characters counted from one, both ends included; the first few of many."""
    shown = [f"{start + 1}\u2013{end}" if end - start > 1 else f"{start + 1}" for start, end in spans[:MOST_PLACES]]
    more = max(span_count, len(spans)) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 and shown else "")


MOST_PLACES = 6
