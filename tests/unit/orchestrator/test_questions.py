"""Times, words and cursors as clients send them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from axonflow_audit.filters import Position
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Verdict, Wire, verdicts_named
from axonflow_orchestrator.questions import cursor_of, moment, position_of
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T12:00:00Z",
        "2026-01-01T12:00:00",
        "2026-01-01T14:00:00+02:00",
        "2026-01-01T14:00:00 02:00",  # a plus that form decoding took
        "2026-01-01T12:00:00.000000000Z",
    ],
)
def test_a_time_is_read_with_and_without_its_zone(text: str) -> None:
    assert moment(text, "since") == NOON


@pytest.mark.parametrize("text", ["now", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "12"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Fault, match="since"):
        moment(text, "since")


@given(st.datetimes(timezones=st.just(UTC)), st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_a_cursor_comes_back_as_it_was(created_at: datetime, row_id: str) -> None:
    assert position_of(cursor_of(Position(created_at, row_id))) == Position(created_at, row_id)


@given(st.text())
def test_no_other_text_is_taken_for_a_cursor(text: str) -> None:
    with contextlib.suppress(Fault):
        assert position_of(text).created_at.tzinfo is not None


def test_every_word_of_every_surface_and_of_the_store_is_understood() -> None:
    for wire in (Wire.AUDIT_ENTRY, Wire.DECISION_LIST):
        for verdict in Verdict:
            assert verdict in verdicts_named(verdict.value, wire)
        assert verdicts_named("maybe", wire) == ()
    assert verdicts_named("allow", Wire.AUDIT_ENTRY) == (Verdict.ALLOWED,)
    assert verdicts_named("allow", Wire.DECISION_LIST) == (Verdict.ALLOWED, Verdict.REDACTED)
