"""Prometheus series of a service, on a registry of its own so that two services in one process never mix.

Labels hold words of ours or names from a bounded set; text from a client never becomes a label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import generate_latest

from axonflow_telemetry.circuit_series import CircuitSeries
from axonflow_telemetry.gateway_series import FAST_MS, GatewaySeries
from axonflow_telemetry.performance import Performance

_SLOW_MS = (10, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
_MOST_MODELS = 200
OTHER = "other"


class Metrics:
    """The series of agent.md §1.3 that exist so far, and those of the audit log and the policy set.

    Attributes:
        openai_requests: by ``status``: success, denied, error, upstream_error.
        openai_duration_ms: whole calls, in milliseconds.
        audit_queued: audit entries taken in, by ``type`` and ``status``.
        audit_fallback: entries that went to the fallback file.
        audit_written: entries committed to PostgreSQL directly.
        audit_fallen_back: entries synced to the fallback file.
        audit_replayed: entries brought from a file to PostgreSQL.
        audit_torn: unreadable lines skipped in replay.
        audit_quarantined: entries PostgreSQL cannot hold, set aside in a file.
        audit_failed: entries that no place would take; their calls were refused.
        gateway: the series of Gateway Mode.
        decision_requests: by ``verdict`` and ``stage``.
        decision_duration_ms: whole calls of Decision Mode, in milliseconds.
        performance: the last thousand calls, for ``/metrics``.
        http_refused: requests that the HTTP server refused before any handler, by ``reason``.
        circuits: what circuits did.
        spans_dropped: decision spans not exported, by ``reason``: overflow, failed.
    """

    def __init__(self) -> None:
        # A `_created` gauge beside every series doubles the page and means nothing to the dashboards.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry(auto_describe=True)
        self.openai_requests = self._counter("openai_compat_requests", "Chat completions calls.", "status")
        self.openai_duration_ms = self._duration("openai_compat", "Duration of chat completions calls.", _SLOW_MS)
        self._openai_tokens = self._counter("openai_compat_tokens", "Tokens used.", "type", "model")
        self._models: set[str] = set()
        self._token_counters: dict[tuple[str, str], Counter] = {}
        self.audit_queued = self._counter("gateway_audit_queued", "Audit entries taken in.", "type", "status")
        self.audit_fallback = self._counter("gateway_audit_fallback", "Audit entries sent to the fallback file.")
        self.audit_written = self._counter("audit_written", "Audit entries committed to PostgreSQL.")
        self.audit_fallen_back = self._counter("audit_fallen_back", "Audit entries synced to the fallback file.")
        self.audit_replayed = self._counter("audit_replayed", "Audit entries replayed from a file.")
        self.audit_torn = self._counter("audit_torn", "Unreadable lines skipped in replay.")
        self.audit_quarantined = self._counter("audit_quarantined", "Audit entries PostgreSQL cannot hold.")
        self.audit_failed = self._counter("audit_failed", "Audit entries that no place would take.")
        self.http_refused = self._counter("http_refused", "Requests refused by the HTTP server.", "reason")
        self.spans_dropped = self._counter("telemetry_spans_dropped", "Spans not exported.", "reason")
        self.gateway = GatewaySeries(self.registry)
        self.decision_requests = self._counter("decision_requests", "Calls of Decision Mode.", "verdict", "stage")
        self.decision_duration_ms = self._duration("decision", "Duration of calls of Decision Mode.", FAST_MS)
        self._requests = self._counter("agent_requests", "Governed calls.", "status")
        self._request_duration_ms = self._duration("agent_request", "Duration of governed calls.", FAST_MS, "type")
        self._evaluations = self._counter("agent_policy_evaluations", "Times that the policy engine judged.")
        self._blocked = self._counter("agent_blocked_requests", "Calls that a policy stopped.")
        self.performance = Performance()
        self.circuits = CircuitSeries(self.registry)
        self._audit_writable = self._gauge("audit_writable", "1 while audit rows can be written somewhere.")
        self._policy_set_age_s = self._gauge(
            "policy_set_age_seconds", "Time since the policy set was last known current."
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"axonflow_{name}_total", text, labels, registry=self.registry)

    def _duration(self, name: str, text: str, buckets_ms: tuple[int, ...], *labels: str) -> Histogram:
        full_name = f"axonflow_{name}_duration_milliseconds"
        return Histogram(full_name, text, labels, buckets=buckets_ms, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"axonflow_{name}", text, registry=self.registry)

    def evaluated(self, duration_ms: float) -> None:
        """Count one judgement of the policy engine."""
        self._evaluations.inc()
        self.performance.evaluation_ms.append(duration_ms)

    def governed_call(self, kind: str, status: str, duration_ms: float) -> None:
        """Count a governed call that was answered.

        Args:
            kind: which door: openai_compat, pre_check, audit, decide and the like.
            status: success, blocked, refused (turned away before a verdict) or error (a fault of ours).
            duration_ms: of the whole call.
        """
        self._requests.labels(status).inc()
        self._request_duration_ms.labels("static").observe(duration_ms)
        if status == "blocked":
            self._blocked.inc()
        self.performance.add(kind, status, duration_ms)

    def openai_tokens(self, kind: str, model: str, count: int) -> None:
        """Add ``count`` tokens of ``kind`` (prompt, completion) for a model name that the provider returned.

        A provider that makes up names cannot grow the page: past a bound they are counted as ``other``.
        """
        counter = self._token_counters.get((kind, model))
        if counter is None:
            counter = self._token_counter(kind, model)
        counter.inc(count)

    def _token_counter(self, kind: str, model: str) -> Counter:
        if model not in self._models:
            if len(self._models) >= _MOST_MODELS:
                return self._openai_tokens.labels(type=kind, model=OTHER)
            self._models.add(model)
        # Finding a labelled series by name costs four times what adding to it does.
        counter = self._token_counters[kind, model] = self._openai_tokens.labels(type=kind, model=model)
        return counter

    def watch_policy_set_age(self, age_s: Callable[[], float]) -> None:
        """Show ``age_s()``, in seconds, whenever the page is read."""
        self._policy_set_age_s.set_function(age_s)

    def watch_audit_writable(self, writable: Callable[[], bool]) -> None:
        """Show whether audit rows can be written somewhere, whenever the page is read."""
        self._audit_writable.set_function(lambda: float(writable()))

    def watch_connector_cache(self, stats: Mapping[str, Callable[[], float]]) -> None:
        """Show each of ``stats`` (agent contract §1.3 names them) whenever the page is read."""
        gauge = Gauge(
            "axonflow_connector_cache_stats", "The cache of connector definitions.", ("stat",), registry=self.registry
        )
        for stat, value in stats.items():
            gauge.labels(stat).set_function(value)

    def exposition(self) -> tuple[bytes, str]:
        """The page in Prometheus text format, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
