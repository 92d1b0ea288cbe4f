"""Prometheus series of the circuit breaker (agent contract §1.3); labels are organisations and words of ours."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter


class CircuitSeries:
    """What circuits did.

    Attributes:
        trips: circuits opened, by organisation, scope and reason.
        resets: circuits closed, by organisation and scope.
        blocked: calls that an open circuit refused, by organisation and scope.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"axonflow_circuit_{name}_total", text, labels, registry=registry)

        self.trips = counter("trips", "Circuits opened.", "org_id", "scope", "reason")
        self.resets = counter("resets", "Circuits closed.", "org_id", "scope")
        self.blocked = counter("blocked_requests", "Calls that an open circuit refused.", "org_id", "scope")
