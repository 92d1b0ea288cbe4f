"""Prometheus series of calls of providers (orchestrator contract section 1.1), and their figures for the snapshot."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram

from axonflow_telemetry.metrics import OTHER
from axonflow_telemetry.performance import percentile

# Names are tenants' own, and the page forgets none: past this many they are counted together.
_MOST_NAMES = 200
_SAMPLES = 1_000
_BUCKETS_MS = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000)
SUCCESS, ERROR, CANCELLED = "success", "error", "cancelled"


def _window() -> deque[float]:
    return deque(maxlen=_SAMPLES)


@dataclass(slots=True)
class _Figures:
    succeeded: int = 0
    failed: int = 0
    tokens: int = 0
    durations_ms: deque[float] = field(default_factory=_window)


class CallSeries:
    """Counts calls by provider name."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "axonflow_orchestrator_llm_calls_total", "Calls of providers.", ("provider", "status"), registry=registry
        )
        self._durations_ms = Histogram(
            "axonflow_orchestrator_llm_call_duration_milliseconds",
            "Duration of calls of providers that were not cancelled.",
            ("provider",),
            buckets=_BUCKETS_MS,
            registry=registry,
        )
        self._figures: dict[str, _Figures] = {}

    def add(self, name: str, status: str, latency_ms: float, tokens: int = 0) -> None:
        """Count one call that was answered, failed, or was given up by its caller."""
        known = name in self._figures or len(self._figures) < _MOST_NAMES
        label = name if known else OTHER
        self._calls.labels(label, status).inc()
        if status == CANCELLED:
            return
        self._durations_ms.labels(label).observe(latency_ms)
        figures = self._figures.setdefault(label, _Figures())
        figures.succeeded += status == SUCCESS
        figures.failed += status == ERROR
        figures.tokens += tokens
        figures.durations_ms.append(latency_ms)

    def snapshot(self) -> dict[str, dict[str, float]]:
        """The member ``providers`` of ``GET /metrics`` but for money; percentiles of the last thousand calls."""
        return {
            name: {
                "total_calls": figures.succeeded + figures.failed,
                "success_calls": figures.succeeded,
                "failed_calls": figures.failed,
                "total_tokens": figures.tokens,
                "p50_ms": percentile(figures.durations_ms, 50),
                "p95_ms": percentile(figures.durations_ms, 95),
                "p99_ms": percentile(figures.durations_ms, 99),
            }
            for name, figures in self._figures.items()
        }
