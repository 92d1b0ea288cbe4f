"""The snapshot of ``/metrics``: totals, rates and percentiles of what was served."""

from __future__ import annotations

import pytest
from axonflow_telemetry.performance import Performance, percentile


class Clock:
    """A clock that a test moves."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_fresh_process_divides_by_nothing() -> None:
    told = Performance(Clock()).snapshot()
    assert (told["agent_metrics"]["total_requests"], told["agent_metrics"]["p99_ms"]) == (0, 0.0)
    assert told["health"] == {"status": "healthy", "healthy": True, "consecutive_errors": 0, "up": 1}
    assert told["request_types"] == {}


def test_calls_are_counted_by_kind_and_outcome() -> None:
    clock = Clock()
    performance = Performance(clock)
    for duration_ms in range(1, 101):
        performance.add("decide", "success", float(duration_ms))
    performance.add("decide", "blocked", 1.0)
    performance.add("pre_check", "refused", 1.0)
    clock.now_s += 10
    told = performance.snapshot()
    agent = told["agent_metrics"]
    assert (agent["total_requests"], agent["success_requests"], agent["failed_requests"]) == (102, 101, 1)
    assert (agent["blocked_requests"], agent["rps"], agent["error_rate_per_sec"]) == (1, 10.2, 0.1)
    assert told["request_types"]["decide"] == {"total_requests": 101, "success_requests": 101, "p99_ms": 99.0}
    clock.now_s += 100
    assert performance.snapshot()["agent_metrics"]["rps"] == 0.0


@pytest.mark.parametrize(("errors", "status"), [(2, "healthy"), (3, "degraded"), (10, "unhealthy")])
def test_faults_of_ours_in_a_row_are_told_and_a_success_ends_them(errors: int, status: str) -> None:
    performance = Performance(Clock())
    for _ in range(errors):
        performance.add("decide", "error", 1.0)
        performance.add("decide", "refused", 1.0)
    assert performance.snapshot()["health"]["status"] == status
    performance.add("decide", "success", 1.0)
    assert performance.snapshot()["health"]["status"] == "healthy"


def test_only_the_last_thousand_calls_make_percentiles() -> None:
    performance = Performance(Clock())
    for duration_ms in (1_000_000.0, *([1.0] * 1_000)):
        performance.add("decide", "success", duration_ms)
    assert performance.snapshot()["agent_metrics"]["p99_ms"] == 1.0


def test_percentiles_are_samples_themselves() -> None:
    assert [percentile([3.0, 1.0, 2.0], share) for share in (1, 50, 99)] == [1.0, 2.0, 3.0]


def test_connectors_are_counted_by_name_and_many_of_them_together() -> None:
    performance = Performance(Clock())
    performance.add_connector_call("crm", 4.0, succeeded=True)
    performance.add_connector_call("crm", 8.0, succeeded=False)
    assert performance.snapshot()["connectors"] == {"crm": {"total_requests": 2, "success_rate": 0.5, "p99_ms": 8.0}}
    for number in range(1_000):
        performance.add_connector_call(f"connector-{number}", 1.0, succeeded=True)
    told = performance.snapshot()["connectors"]
    assert (len(told), told["other"]["total_requests"]) == (201, 801)
