"""Rows of an answer: counted while they arrive, JSON-ready, cut at the limit that comes first."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid
from typing import Any

import pytest
from axonflow_connectors import ConnectorFault, Limits
from axonflow_connectors.gathering import Gathering, json_value


@pytest.mark.parametrize(
    ("value", "ready"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (decimal.Decimal("1.10"), "1.10"),
        (dt.datetime(2026, 1, 2, 3, tzinfo=dt.UTC), "2026-01-02T03:00:00+00:00"),
        (dt.timedelta(seconds=90), "0:01:30"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"text", "text"),
        (b"\xff\xfe", "//4="),
        (memoryview(b"x"), "x"),
        ({1: (b"x", {"y": None})}, {"1": ["x", {"y": None}]}),
    ],
)
def test_a_drivers_value_becomes_json(value: Any, ready: Any) -> None:
    assert json_value(value) == ready
    json.dumps(json_value(value))


def test_what_is_nested_without_end_is_a_fault() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ConnectorFault, match="nested"):
        json_value(loop)


def test_the_first_limit_cuts() -> None:
    by_rows = Gathering(Limits(max_rows=2, max_bytes=1000))
    assert [by_rows.add({"a": 1}) for _ in range(3)] == [True, True, False]
    assert by_rows.finish().truncated == "rows"
    by_bytes = Gathering(Limits(max_rows=100, max_bytes=20))
    assert not by_bytes.add_all({"a": 1} for _ in range(3))
    assert (by_bytes.finish().truncated, by_bytes.finish().row_count) == ("bytes", 2)


def test_a_batch_of_large_rows_stays_small() -> None:
    gathering = Gathering(Limits(max_rows=0, max_bytes=0))
    assert gathering.next_batch == 16
    gathering.add({"a": "x" * 500_000})
    assert gathering.next_batch == 2
    small = Gathering(Limits(max_rows=0, max_bytes=0))
    for _ in range(1000):
        small.add({"a": 1})
    assert small.next_batch == 512
