"""The decision span: one ``axonflow.decision`` per governed call, sent to an OTLP collector when one is named.

It fails open: a slow, absent or broken collector costs spans, which are counted, and never a request.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from axonflow_telemetry.facts import DecisionFacts
from axonflow_telemetry.metrics import Metrics
from axonflow_telemetry.trace import TraceContext

if TYPE_CHECKING:
    from axonflow_telemetry.otlp import SpanExport

logger = logging.getLogger(__name__)

_ALL_TRACES = 1 << 64


class DecisionTracer:
    """Sends decision spans; does nothing, and imports no gRPC, without an endpoint."""

    def __init__(
        self,
        endpoint: str,
        *,
        service: str,
        version: str,
        metrics: Metrics,
        sample_rate: float = 1.0,
        environment: str = "",
        export_timeout_s: float = 5.0,
        queue_spans: int = 2_048,
    ) -> None:
        """Open the export.

        Args:
            endpoint: OTLP gRPC, ``host:4317`` or with ``http://``; ``https://`` asks for TLS; empty exports nothing.
            service: ``service.name`` of the spans.
            version: ``service.version``.
            metrics: where lost spans are counted.
            sample_rate: share of traces to export, 0 to 1.
            environment: ``deployment.environment.name``, when known.
            export_timeout_s: how long one batch may take.
            queue_spans: most spans held while the collector is slow.
        """
        # The low 64 bits decide, as in OpenTelemetry's ratio sampler, so that every service picks the same traces.
        self._bound = round(min(max(sample_rate, 0.0), 1.0) * _ALL_TRACES)
        self._export: SpanExport | None = None
        if endpoint and self._bound:
            from axonflow_telemetry.otlp import SpanExport

            self._export = SpanExport(
                endpoint,
                resource={
                    "service.name": service,
                    "service.version": version,
                    **({"deployment.environment.name": environment} if environment else {}),
                },
                metrics=metrics,
                timeout_s=export_timeout_s,
                queue_spans=queue_spans,
            )

    def wants(self, trace: TraceContext) -> bool:
        """Whether a span of this trace would be exported; a caller's own flag cannot hide a decision."""
        return self._export is not None and int(trace.trace_id[16:], 16) < self._bound

    def record(self, trace: TraceContext, facts: DecisionFacts) -> None:
        """Queue the span of a decision that just ended; returns at once and never raises."""
        if self._export is None or not self.wants(trace):
            return
        try:
            self._export.send(trace, facts)
        except Exception:  # telemetry fails open, whatever the SDK thinks of the attributes
            logger.exception("a decision span could not be built", extra={"trace_id": trace.trace_id})

    async def close(self, timeout_s: float = 3.0) -> None:
        """Send what is queued, for at most ``timeout_s`` seconds, and let go of the collector."""
        if self._export is not None:
            await asyncio.to_thread(self._export.close, timeout_s)
            self._export = None
