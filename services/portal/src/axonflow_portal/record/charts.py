"""Bars over time as plain numbers: steps without a call are there too, and every height is worked out here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HEIGHT = 1000
STEP_WIDTH = 100
_BAR_WIDTH = 76
_LABELLED = 6  # about so many labels stand under a chart
_NICE = (2, 3, 4, 6, 8, 10)  # with a whole number at half height


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of a bar, in units of the drawing; ``y`` counts from the top."""

    kind: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of time.

    Attributes:
        label: its beginning in full.
        tick: what stands under it; "" under most.
    """

    start: datetime
    end: datetime
    label: str
    tick: str
    counts: Mapping[str, int]
    total: int
    x: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars from the oldest to the newest, on one scale.

    Attributes:
        kinds: what the bars are made of, from the top down.
        ceiling: the number at the top of the scale.
    """

    bars: tuple[Bar, ...]
    kinds: tuple[str, ...]
    ceiling: int
    interval: str
    height: int = HEIGHT
    bar_width: int = _BAR_WIDTH

    @property
    def width(self) -> int:
        """Of the drawing, in its units."""
        return STEP_WIDTH * len(self.bars)

    @property
    def total(self) -> int:
        """Everything that the bars count."""
        return sum(bar.total for bar in self.bars)

    @property
    def highest(self) -> Bar:
        """The fullest step, the newest of equals."""
        return max(reversed(self.bars), key=lambda bar: bar.total)


def chart_of(
    counts: Mapping[datetime, Mapping[str, int]],
    kinds: Sequence[str],
    *,
    since: datetime,
    until: datetime,
    interval: str,
) -> Chart:
    """The chart of a window.

    Args:
        counts: by the beginning of each step, in UTC; steps may be missing.
        kinds: the order of a bar's stretches from the top down.
        since: within the first step.
        until: within the last step.
        interval: ``hour`` or ``day``.
    """
    starts = _starts(since, until, interval)
    width = timedelta(hours=1) if interval == "hour" else timedelta(days=1)
    ceiling = _ceiling(max((sum(counts.get(start, {}).values()) for start in starts), default=0))
    every = max(1, -(-len(starts) // _LABELLED))
    bars = tuple(
        Bar(
            start=start,
            end=start + width,
            label=f"{start.day} {start:%b, %H:%M}" if interval == "hour" else f"{start.day} {start:%b}",
            tick=_tick(start, interval) if (len(starts) - 1 - place) % every == 0 else "",
            counts=counts.get(start, {}),
            total=sum(counts.get(start, {}).values()),
            x=STEP_WIDTH * place + (STEP_WIDTH - _BAR_WIDTH) // 2,
            segments=_segments(counts.get(start, {}), kinds, ceiling),
        )
        for place, start in enumerate(starts)
    )
    return Chart(bars, tuple(kinds), ceiling, interval)


def step_of(moment: datetime, interval: str) -> datetime:
    """The beginning of the hour or day, in UTC, that ``moment`` lies in."""
    utc = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return utc if interval == "hour" else utc.replace(hour=0)


def share(part: float, whole: float, width: int = HEIGHT) -> int:
    """How long a bar for ``part`` is where ``whole`` has all the ``width``; something is never nothing."""
    return max(round(width * part / whole), 6) if part and whole else 0


def _starts(since: datetime, until: datetime, interval: str) -> list[datetime]:
    width = timedelta(hours=1) if interval == "hour" else timedelta(days=1)
    start, found = step_of(since, interval), []
    while start <= until:
        found.append(start)
        start += width
    return found


def _segments(counts: Mapping[str, int], kinds: Sequence[str], ceiling: int) -> tuple[Segment, ...]:
    """From the floor up, so that rounding leaves no gap between two stretches."""
    found, below = [], 0
    for kind in reversed(kinds):
        count = counts.get(kind, 0)
        if count:
            low, high = HEIGHT * below // ceiling, HEIGHT * (below + count) // ceiling
            found.append(Segment(kind, HEIGHT - high, max(high - low, 8)))
            below += count
    return tuple(found)


def _ceiling(highest: int) -> int:
    """The next round number, at least 4, so that a scale has whole numbers."""
    size = 1
    while True:
        for nice in _NICE:
            if nice * size >= max(highest, 4):
                return nice * size
        size *= 10


def _tick(start: datetime, interval: str) -> str:
    return f"{start:%H:%M}" if interval == "hour" else f"{start.day} {start:%b}"
