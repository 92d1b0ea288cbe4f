"""Bars: every step is there, stretches meet, and the scale has whole numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from axonflow_portal.record.charts import HEIGHT, STEP_WIDTH, Chart, chart_of, share
from support.portal_record import NOW

KINDS = ("blocked", "allowed")
HOUR = NOW.replace(minute=0, second=0)


def chart(counts: dict[datetime, dict[str, int]], hours: int = 24, interval: str = "hour") -> Chart:
    return chart_of(counts, KINDS, since=NOW - timedelta(hours=hours), until=NOW, interval=interval)


def test_steps_without_a_call_are_there_too() -> None:
    drawn = chart({HOUR: {"allowed": 1}})
    assert len(drawn.bars) == 25
    assert [bar.total for bar in drawn.bars] == [0] * 24 + [1]
    assert drawn.width == 25 * STEP_WIDTH
    assert drawn.bars[-1].end == HOUR + timedelta(hours=1)


def test_stretches_meet_and_stand_on_the_floor_in_their_order() -> None:
    drawn = chart({HOUR: {"blocked": 3, "allowed": 5}})
    low, high = drawn.bars[-1].segments
    assert (low.kind, high.kind) == ("allowed", "blocked")
    assert low.y + low.height == HEIGHT
    assert high.y + high.height == low.y
    assert high.y == 0  # eight calls on a scale of eight


@pytest.mark.parametrize(("highest", "ceiling"), [(0, 4), (1, 4), (5, 6), (8, 8), (11, 20), (28, 30), (101, 200)])
def test_the_scale_ends_at_a_round_number(highest: int, ceiling: int) -> None:
    assert chart({HOUR: {"allowed": highest}}).ceiling == ceiling
    assert ceiling % 2 == 0


def test_days_are_days_in_utc() -> None:
    drawn = chart({datetime(2026, 3, 1, tzinfo=UTC): {"allowed": 2}}, hours=7 * 24, interval="day")
    assert [bar.label for bar in drawn.bars] == [f"{day} Feb" for day in (25, 26, 27, 28)] + [
        f"{day} Mar" for day in (1, 2, 3, 4)
    ]
    assert drawn.highest.label == "1 Mar"
    assert drawn.total == 2


def test_a_few_labels_stand_under_it_and_the_last_step_has_one() -> None:
    ticks = [bar.tick for bar in chart({}).bars if bar.tick]
    assert 4 <= len(ticks) <= 7
    assert ticks[-1] == "09:00"


def test_something_is_never_drawn_as_nothing() -> None:
    assert share(1, 100_000) > 0
    assert share(0, 10) == share(1, 0) == 0
    assert min(segment.height for segment in chart({HOUR: {"blocked": 1, "allowed": 9_999}}).bars[-1].segments) > 0
