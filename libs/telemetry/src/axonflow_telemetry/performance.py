"""The snapshot of ``GET /metrics`` (agent.md §1.3): totals since the start, percentiles of the last thousand calls."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

_SAMPLES = 1_000
# Names are an organisation's own, and nothing forgets them: past this many they are counted together.
_MOST_CONNECTORS = 200
_OTHER = "other"
_RATE_WINDOW_S = 60.0
# In a row; calls that a caller got wrong are no faults of ours and do not count.
_DEGRADED_AFTER, _UNHEALTHY_AFTER = 3, 10


def _window() -> deque[float]:
    return deque(maxlen=_SAMPLES)


@dataclasses.dataclass(slots=True)
class _Kind:
    total: int = 0
    succeeded: int = 0
    durations_ms: deque[float] = dataclasses.field(default_factory=_window)


class Performance:
    """How the process has served its governed calls; one append a call, and sorting only when somebody asks.

    Attributes:
        auth_ms, evaluation_ms, network_ms: the last thousand durations of each, in milliseconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started_s = clock()
        self._kinds: dict[str, _Kind] = {}
        self._connectors: dict[str, _Kind] = {}
        self._durations_ms = _window()
        self._recent: deque[tuple[float, bool]] = deque(maxlen=10 * _SAMPLES)
        self._failed = 0
        self._blocked = 0
        self._consecutive_errors = 0
        self.auth_ms = _window()
        self.evaluation_ms = _window()
        self.network_ms = _window()

    def add(self, kind: str, status: str, duration_ms: float) -> None:
        """Count a call; ``status`` is success, blocked, refused (the caller's fault) or error (ours)."""
        found = self._kinds.setdefault(kind, _Kind())
        found.total += 1
        found.durations_ms.append(duration_ms)
        self._durations_ms.append(duration_ms)
        failed = status not in {"success", "blocked"}
        self._recent.append((self._clock(), failed))
        if not failed:
            found.succeeded += 1
        self._failed += failed
        self._blocked += status == "blocked"
        if status == "error":
            self._consecutive_errors += 1
        elif status != "refused":
            self._consecutive_errors = 0

    def add_connector_call(self, name: str, duration_ms: float, *, succeeded: bool) -> None:
        """Count a call on a connector."""
        known = name in self._connectors or len(self._connectors) < _MOST_CONNECTORS
        found = self._connectors.setdefault(name if known else _OTHER, _Kind())
        found.total += 1
        found.succeeded += succeeded
        found.durations_ms.append(duration_ms)

    def snapshot(self) -> dict[str, Any]:
        """The members of ``/metrics`` but for the time."""
        total = sum(kind.total for kind in self._kinds.values())
        return {
            "agent_metrics": self._agent(total),
            "health": self._health(),
            "request_types": {
                name: {
                    "total_requests": kind.total,
                    "success_requests": kind.succeeded,
                    "p99_ms": percentile(kind.durations_ms, 99),
                }
                for name, kind in self._kinds.items()
            },
            "connectors": {
                name: {
                    "total_requests": kind.total,
                    "success_rate": round(kind.succeeded / kind.total, 6),
                    "p99_ms": percentile(kind.durations_ms, 99),
                }
                for name, kind in self._connectors.items()
            },
        }

    def _agent(self, total: int) -> dict[str, float]:
        uptime_s = self._clock() - self._started_s
        span_s = max(min(uptime_s, _RATE_WINDOW_S), 1.0)
        recent = [failed for at_s, failed in self._recent if self._clock() - at_s <= _RATE_WINDOW_S]
        durations = self._durations_ms
        return {
            "uptime_seconds": round(uptime_s, 3),
            "total_requests": total,
            "success_requests": total - self._failed,
            "failed_requests": self._failed,
            "blocked_requests": self._blocked,
            "success_rate": round((total - self._failed) / total, 6) if total else 1.0,
            "rps": round(len(recent) / span_s, 3),
            "error_rate_per_sec": round(sum(recent) / span_s, 3),
            "p50_ms": percentile(durations, 50),
            "p95_ms": percentile(durations, 95),
            "p99_ms": percentile(durations, 99),
            "avg_latency_ms": round(sum(durations) / len(durations), 3) if durations else 0.0,
            "auth_p99_ms": percentile(self.auth_ms, 99),
            "static_policy_eval_p99_ms": percentile(self.evaluation_ms, 99),
            "network_p99_ms": percentile(self.network_ms, 99),
        }

    def _health(self) -> dict[str, Any]:
        errors = self._consecutive_errors
        status = "healthy" if errors < _DEGRADED_AFTER else "degraded" if errors < _UNHEALTHY_AFTER else "unhealthy"
        return {"status": status, "healthy": status == "healthy", "consecutive_errors": errors, "up": 1}


def percentile(samples: Iterable[float], share: int) -> float:
    """The nearest-rank percentile, or 0 without samples."""
    ordered = sorted(samples)
    if not ordered:
        return 0.0
    return round(ordered[max(0, -(-len(ordered) * share // 100) - 1)], 3)
