"""Export over OTLP gRPC, imported only when a collector is named: gRPC costs memory and a second of start."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from axonflow_telemetry.facts import DecisionFacts
from axonflow_telemetry.metrics import Metrics
from axonflow_telemetry.trace import TraceContext

SPAN_NAME = "axonflow.decision"
TRACER_NAME = "axonflow.agent.decision"
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class _Counted(SpanExporter):
    """The real exporter, with the number of spans that still wait and of those that got lost."""

    def __init__(self, inner: SpanExporter, metrics: Metrics, limit: int) -> None:
        self._inner = inner
        self._overflowed = metrics.spans_dropped.labels(reason="overflow")
        self._failed = metrics.spans_dropped.labels(reason="failed")
        self._limit = limit
        self._waiting = 0
        self._lock = threading.Lock()

    def admit(self) -> bool:
        """Take a place in the queue, or count the span as dropped.

        The SDK's own queue makes room by throwing away the oldest span without telling anyone.
        """
        with self._lock:
            if self._waiting < self._limit:
                self._waiting += 1
                return True
        self._overflowed.inc()
        return False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with self._lock:
            self._waiting -= len(spans)
        result = SpanExportResult.FAILURE
        try:
            result = self._inner.export(spans)
        finally:
            if result is not SpanExportResult.SUCCESS:
                self._failed.inc(len(spans))
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


class SpanExport:
    """A bounded queue of finished spans and the thread that sends them."""

    def __init__(
        self, endpoint: str, *, resource: Mapping[str, str], metrics: Metrics, timeout_s: float, queue_spans: int
    ) -> None:
        self._resource = Resource.create(dict(resource))
        self._scope = InstrumentationScope(TRACER_NAME, resource["service.version"])
        inner = OTLPSpanExporter(
            endpoint=endpoint, insecure=not endpoint.startswith("https://"), timeout=max(timeout_s, 0.001)
        )
        self._exporter = _Counted(inner, metrics, queue_spans)
        self._processor = BatchSpanProcessor(
            self._exporter,
            max_queue_size=queue_spans,
            schedule_delay_millis=1_000,
            max_export_batch_size=min(512, queue_spans),
        )

    def send(self, trace: TraceContext, facts: DecisionFacts) -> None:
        """Build the finished span and queue it, or count it as dropped.

        Built directly: a tracer would draw its own trace id where no caller sent one, and costs several times more.
        """
        attributes = facts.attributes()
        if not self._exporter.admit():
            return
        ended_ns = time.time_ns()
        trace_id = int(trace.trace_id, 16)
        span = ReadableSpan(
            name=SPAN_NAME,
            context=SpanContext(trace_id, int(trace.span_id, 16), is_remote=False, trace_flags=_SAMPLED),
            parent=_parent(trace, trace_id),
            resource=self._resource,
            attributes=attributes,
            kind=SpanKind.INTERNAL,
            start_time=ended_ns - max(0, int(facts.latency_ms * 1_000_000)),
            end_time=ended_ns,
            instrumentation_scope=self._scope,
        )
        self._processor.on_end(span)

    def close(self, timeout_s: float) -> None:
        """Send what is queued within ``timeout_s`` seconds; a call still hanging then is broken off."""
        # The processor waits up to 30 s on its own account, so the limit is kept from outside.
        flush = threading.Thread(target=self._processor.shutdown, name="axonflow-span-flush", daemon=True)
        flush.start()
        flush.join(timeout_s)
        if flush.is_alive():
            self._exporter.shutdown()


def _parent(trace: TraceContext, trace_id: int) -> SpanContext | None:
    if trace.parent_span_id is None:
        return None
    return SpanContext(trace_id, int(trace.parent_span_id, 16), is_remote=True, trace_flags=_SAMPLED)
