"""Trace ids, structured logs, metrics and the decision span; none of it may delay or fail a call."""

from axonflow_telemetry.facts import DecisionFacts
from axonflow_telemetry.logs import configure_logs, current_trace_id, trace_scope
from axonflow_telemetry.metrics import Metrics
from axonflow_telemetry.spans import DecisionTracer
from axonflow_telemetry.trace import TraceContext

__all__ = [
    "DecisionFacts",
    "DecisionTracer",
    "Metrics",
    "TraceContext",
    "configure_logs",
    "current_trace_id",
    "trace_scope",
]
