"""The decision span, received by a real OTLP collector in this process; a bad collector costs spans, never a call."""

import asyncio
import concurrent.futures
import subprocess
import sys
import threading
import time

import grpc
import pytest
from axonflow_telemetry import DecisionFacts, DecisionTracer, Metrics, TraceContext
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

FACTS = DecisionFacts(
    decision_id="d-1",
    stage="request",
    verdict="blocked",
    policy_ids=("sys_pii_ssn", "sys_pii_card"),
    latency_ms=3.7,
    reasons=("Social Security Number detected", "Card number detected"),
    org_id="org-1",
    tenant_id="tenant-1",
)

EXPORT_LIMIT_S = 20.0


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps what arrives; while ``release`` is unset it hangs."""

    def __init__(self) -> None:
        self.requests: list[trace_service_pb2.ExportTraceServiceRequest] = []
        self.release = threading.Event()
        self.release.set()
        self.arrived = threading.Event()

    def Export(self, request, _context):  # noqa: N802 - the name of the RPC
        self.arrived.set()
        self.release.wait(30)
        self.requests.append(request)
        return trace_service_pb2.ExportTraceServiceResponse()

    def spans(self):
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    servicer = Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(servicer, server)
    servicer.endpoint = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield servicer
    servicer.release.set()
    server.stop(0).wait()


def tracer_for(endpoint, metrics=None, **options):
    return DecisionTracer(endpoint, service="axonflow-agent", version="8.4.0", metrics=metrics or Metrics(), **options)


def dropped(metrics, reason):
    return metrics.registry.get_sample_value("axonflow_telemetry_spans_dropped_total", {"reason": reason}) or 0


def attributes(pairs):
    return {
        pair.key: (
            [value.string_value for value in pair.value.array_value.values]
            if pair.value.HasField("array_value")
            else getattr(pair.value, pair.value.WhichOneof("value"))
        )
        for pair in pairs
    }


async def test_a_decision_arrives_as_one_span_with_the_eight_attributes(collector):
    tracer = tracer_for(collector.endpoint)
    trace = TraceContext.from_headers("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    tracer.record(trace, FACTS)
    await tracer.close()
    (span,) = collector.spans()
    assert span.name == "axonflow.decision"
    assert attributes(span.attributes) == {
        "decision.id": "d-1",
        "decision.stage": "request",
        "decision.verdict": "blocked",
        "decision.policy_ids": ["sys_pii_ssn", "sys_pii_card"],
        "decision.latency_ms": 3,
        "decision.reasons": "Social Security Number detected; Card number detected",
        "org.id": "org-1",
        "tenant.id": "tenant-1",
    }
    assert 0 <= span.end_time_unix_nano - span.start_time_unix_nano - 3_700_000 < 1_000


async def test_the_span_stands_in_the_callers_trace_below_the_callers_span(collector):
    tracer = tracer_for(collector.endpoint)
    trace = TraceContext.from_headers("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    tracer.record(trace, FACTS)
    await tracer.close()
    (span,) = collector.spans()
    assert span.trace_id.hex() == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert span.parent_span_id.hex() == "00f067aa0ba902b7"
    assert span.span_id.hex() == trace.span_id == trace.child_traceparent().split("-")[2]


async def test_a_trace_begun_here_is_exported_under_the_id_that_is_returned(collector):
    tracer = tracer_for(collector.endpoint)
    trace = TraceContext.from_headers(None)
    tracer.record(trace, FACTS)
    await tracer.close()
    (span,) = collector.spans()
    assert span.trace_id.hex() == trace.trace_id
    assert span.parent_span_id == b""


async def test_the_exporter_names_service_version_and_tracer(collector):
    tracer = tracer_for("http://" + collector.endpoint, environment="staging")
    tracer.record(TraceContext.from_headers(None), FACTS)
    await tracer.close()
    (resource,) = collector.requests[0].resource_spans
    named = attributes(resource.resource.attributes)
    assert named["service.name"] == "axonflow-agent"
    assert named["service.version"] == "8.4.0"
    assert named["deployment.environment.name"] == "staging"
    assert resource.scope_spans[0].scope.name == "axonflow.agent.decision"


async def test_a_decision_without_reasons_is_called_clean(collector):
    tracer = tracer_for(collector.endpoint)
    clean = DecisionFacts(
        decision_id="d-2",
        stage="request",
        verdict="allowed",
        policy_ids=(),
        latency_ms=0.2,
        reasons=(),
        org_id="o",
        tenant_id="t",
    )
    tracer.record(TraceContext.from_headers(None), clean)
    await tracer.close()
    (span,) = collector.spans()
    assert attributes(span.attributes)["decision.reasons"] == "clean"
    assert attributes(span.attributes)["decision.policy_ids"] == []


async def test_a_hanging_collector_delays_no_caller_and_loses_are_counted(collector):
    collector.release.clear()
    metrics = Metrics()
    tracer = tracer_for(collector.endpoint, metrics, queue_spans=64, export_timeout_s=EXPORT_LIMIT_S)
    for _ in range(64):
        tracer.record(TraceContext.from_headers(None), FACTS)
    assert await asyncio.to_thread(collector.arrived.wait, 10)
    # One batch hangs in the call; the queue fills behind it, and the rest is dropped without waiting.
    started = time.perf_counter()
    for _ in range(1_000):
        tracer.record(TraceContext.from_headers(None), FACTS)
    flooded_s = time.perf_counter() - started
    assert dropped(metrics, "overflow") == 1_000 - 64
    # Had one of the thousand waited for the collector, it were this long at least.
    assert flooded_s < EXPORT_LIMIT_S
    started = time.perf_counter()
    await tracer.close(timeout_s=0.2)
    assert time.perf_counter() - started < EXPORT_LIMIT_S


async def test_a_collector_that_refuses_costs_spans_only(collector):
    with_nobody = "127.0.0.1:1"
    metrics = Metrics()
    tracer = tracer_for(with_nobody, metrics, export_timeout_s=0.2)
    tracer.record(TraceContext.from_headers(None), FACTS)
    await tracer.close(timeout_s=5)
    assert dropped(metrics, "failed") == 1


async def test_closing_sends_what_is_still_queued(collector):
    tracer = tracer_for(collector.endpoint)
    for _ in range(700):
        tracer.record(TraceContext.from_headers(None), FACTS)
    await tracer.close()
    assert len(collector.spans()) == 700


async def test_after_closing_a_record_is_ignored(collector):
    tracer = tracer_for(collector.endpoint)
    await tracer.close()
    tracer.record(TraceContext.from_headers(None), FACTS)
    await tracer.close()
    assert collector.spans() == []


async def test_sampling_takes_about_its_share_and_decides_alike_everywhere(collector):
    one = tracer_for(collector.endpoint, sample_rate=0.25)
    two = tracer_for(collector.endpoint, sample_rate=0.25)
    traces = [TraceContext.from_headers(None) for _ in range(4_000)]
    wanted = [trace for trace in traces if one.wants(trace)]
    assert 800 < len(wanted) < 1_200
    assert wanted == [trace for trace in traces if two.wants(trace)]
    await one.close()
    await two.close()


async def test_a_callers_unsampled_flag_cannot_hide_a_decision(collector):
    tracer = tracer_for(collector.endpoint)
    assert tracer.wants(TraceContext.from_headers("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"))
    await tracer.close()


async def test_a_rate_of_zero_exports_nothing(collector):
    tracer = tracer_for(collector.endpoint, sample_rate=0.0)
    tracer.record(TraceContext.from_headers(None), FACTS)
    await tracer.close()
    assert collector.spans() == []


def test_without_an_endpoint_nothing_heavy_is_imported():
    program = """
import asyncio, sys
from axonflow_telemetry import *
tracer = DecisionTracer("", service="s", version="v", metrics=Metrics())
trace = TraceContext.from_headers(None)
tracer.record(trace, DecisionFacts(decision_id="d", stage="s", verdict="v", policy_ids=(), latency_ms=1, reasons=(),
    org_id="o", tenant_id="t"))
assert not tracer.wants(trace)
asyncio.run(tracer.close())
heavy = [name for name in sys.modules if name == "grpc" or name.startswith("opentelemetry.sdk")]
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
