"""The Prometheus series of Gateway Mode (agent.md §1.3)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

FAST_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class GatewaySeries:
    """What pre-checks and reports of model calls leave on the page; labels are bounded by whoever sets them.

    Attributes:
        prechecks: by ``status`` (success, error) and ``approved`` (true, false).
        precheck_duration_ms: whole calls, in milliseconds.
        audits: reports of model calls, by ``status`` (success, repeated, error) and ``provider``.
        audit_duration_ms: whole calls, in milliseconds.
        tokens: reported tokens, by ``provider``, ``model`` and ``type`` (prompt, completion).
        cost_usd: cost of reported calls, by ``provider`` and ``model``.
        indian_pii: personal data under Indian rules found in pre-checks, by ``pii_type`` and ``blocked``.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.prechecks = _counter(registry, "precheck_requests", "Pre-checks.", "status", "approved")
        self.precheck_duration_ms = _histogram(registry, "precheck", "Duration of pre-checks.")
        self.audits = _counter(registry, "audit_requests", "Reports of model calls.", "status", "provider")
        self.audit_duration_ms = _histogram(registry, "audit", "Duration of reports of model calls.")
        self.tokens = _counter(registry, "llm_tokens", "Tokens of reported calls.", "provider", "model", "type")
        self.cost_usd = _counter(registry, "llm_cost_usd", "Cost of reported calls.", "provider", "model")
        self.indian_pii = _counter(registry, "rbi_pii_detected", "Indian personal data.", "pii_type", "blocked")


def _counter(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Counter:
    return Counter(f"axonflow_gateway_{name}_total", text, labels, registry=registry)


def _histogram(registry: CollectorRegistry, name: str, text: str) -> Histogram:
    return Histogram(f"axonflow_gateway_{name}_duration_milliseconds", text, buckets=FAST_MS, registry=registry)
