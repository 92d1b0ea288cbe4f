"""The trace of a call: a valid traceparent is carried on, anything else is ignored."""

import re

import pytest
from axonflow_telemetry import TraceContext

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


def test_a_valid_traceparent_is_carried_on():
    trace = TraceContext.from_headers(f"00-{TRACE}-{SPAN}-01")
    assert trace.trace_id == TRACE
    assert trace.parent_span_id == SPAN
    assert trace.sampled


def test_a_child_call_names_this_service_as_its_parent():
    trace = TraceContext.from_headers(f"00-{TRACE}-{SPAN}-00")
    version, trace_id, parent, flags = trace.child_traceparent().split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "00")
    assert parent == trace.span_id != SPAN


def test_what_one_service_sends_the_next_one_understands():
    first = TraceContext.from_headers(None)
    second = TraceContext.from_headers(first.child_traceparent())
    assert second.trace_id == first.trace_id
    assert second.parent_span_id == first.span_id


def test_a_later_version_with_more_fields_is_read_for_what_is_known():
    assert TraceContext.from_headers(f"01-{TRACE}-{SPAN}-01-what-comes").trace_id == TRACE


def test_the_random_flag_of_level_2_does_not_disturb():
    assert not TraceContext.from_headers(f"00-{TRACE}-{SPAN}-02").sampled


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "garbage",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\r\nx: y",
        f"00-{TRACE}-{SPAN}-01\n",
        "00-" + "\uff14" * 32 + f"-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01-" + "x" * 10_000,
    ],
)
def test_an_invalid_traceparent_starts_a_new_trace(header):
    trace = TraceContext.from_headers(header)
    assert re.fullmatch(r"[0-9a-f]{32}", trace.trace_id)
    assert trace.trace_id not in {TRACE, "0" * 32}
    assert trace.parent_span_id is None


def test_two_new_traces_differ():
    assert TraceContext.from_headers(None).trace_id != TraceContext.from_headers(None).trace_id
