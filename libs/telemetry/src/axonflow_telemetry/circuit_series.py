"""Prometheus series of the circuit breaker (agent contract §1.3); labels are organisations and words of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

CLOSED, OPEN, HALF_OPEN = 0, 1, 2
_CUSTOM = "custom"
# Circuits shown as closed again; which ones were ever open is nobody's business for longer.
_MOST_SHOWN = 500

CircuitState = tuple[str, str, str, int]  # organisation, scope, scope id, one of the three


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
        self._registry = registry

    def watch(self, states: Callable[[], Iterable[CircuitState]]) -> None:
        """Show ``states()``, the circuits that are not closed, whenever the page is read."""
        self._registry.register(_States(states))


class _States(Collector):
    """``axonflow_circuit_state``: what is open, and what was when the page was read before."""

    def __init__(self, states: Callable[[], Iterable[CircuitState]]) -> None:
        self._states = states
        self._shown: dict[tuple[str, str, str], int] = {}

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The series without samples, so that registering it asks nobody."""
        yield GaugeMetricFamily("axonflow_circuit_state", "0 closed, 1 open, 2 half open.")

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One sample a circuit."""
        shown = dict.fromkeys(list(self._shown)[-_MOST_SHOWN:], CLOSED)
        for org_id, scope, scope_id, state in self._states():
            own = scope == "policy" and not scope_id.startswith("sys_")
            shown[org_id, scope, _CUSTOM if own else scope_id] = state
        self._shown = shown
        labels = ("org_id", "scope", "scope_id")
        family = GaugeMetricFamily("axonflow_circuit_state", "0 closed, 1 open, 2 half open.", labels=labels)
        for key, state in shown.items():
            family.add_metric(key, state)
        yield family
