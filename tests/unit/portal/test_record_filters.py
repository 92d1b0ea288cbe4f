"""What a reader of the record may ask for, and how links repeat it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axonflow_contracts.errors import Fault
from axonflow_portal.record.filters import DecisionFilter, parse_client, parse_decisions, parse_window
from support.portal_record import NOW


def test_without_a_word_the_last_day_is_shown() -> None:
    assert parse_decisions({}) == DecisionFilter(window="24h")
    assert DecisionFilter().asked(NOW) == [("start_time", "2026-03-03T09:05:01Z")]


def test_an_id_is_looked_for_in_everything_that_is_kept() -> None:
    assert parse_decisions({"id": "abc"}).window == "all"
    assert parse_decisions({"trace_id": "abc"}).asked(NOW) == [("trace_id", "abc")]
    assert parse_decisions({"id": "abc", "window": "1h"}).window == "1h"


def test_a_filter_survives_the_way_through_a_query_string() -> None:
    asked = {"window": "7d", "since": "2026-01-31T12:00", "verdict": "blocked", "policy": "a b", "client": "x&y",
             "plane": "gateway", "trace_id": "t", "id": "d"}  # fmt: skip
    assert parse_decisions(asked).query() == (
        "?window=7d&since=2026-01-31T12%3A00&verdict=blocked&policy=a+b&client=x%26y&plane=gateway&trace_id=t&id=d"
    )


def test_a_changed_filter_begins_at_the_top_of_its_list() -> None:
    paged = DecisionFilter(client="a", cursor="abc")
    assert paged.query(verdict="error") == "?verdict=error&client=a"
    assert paged.query(cursor="def") == "?client=a&cursor=def"


def test_moments_stand_in_place_of_the_window_to_the_end_of_their_minute() -> None:
    dated = DecisionFilter(since="2026-01-31T12:00", until="2026-02-01T08:30")
    assert dated.asked(NOW) == [
        ("start_time", "2026-01-31T12:00:00Z"),
        ("end_time", "2026-02-01T08:30:59.999999Z"),
    ]
    assert DecisionFilter(until="2026-02-01T08:30").asked(NOW) == [("end_time", "2026-02-01T08:30:59.999999Z")]


def test_a_time_with_an_offset_is_read_in_utc() -> None:
    assert parse_decisions({"since": "2026-01-31T12:00:30+02:00"}).since == "2026-01-31T10:00"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window", "9y"),
        ("verdict", "maybe"),
        ("plane", "roof"),
        ("since", "yesterday"),
        ("until", "2026-13-01T00:00"),
        ("policy", "x" * 201),
        ("client", "a\0b"),
        ("cursor", "x" * 2001),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_decisions({name: value})
    assert (caught.value.status, caught.value.message.split()[0]) == (400, name)


def test_charts_take_the_windows_that_they_can_draw() -> None:
    assert parse_window({}) == "24h"
    assert parse_client({"client": " a "}) == "a"
    with pytest.raises(Fault):
        parse_window({"window": "all"})


def test_a_windows_start_moves_with_the_clock() -> None:
    later = dict(DecisionFilter(window="1h").asked(NOW + timedelta(minutes=1)))
    assert later == {"start_time": "2026-03-04T08:06:01Z"}
