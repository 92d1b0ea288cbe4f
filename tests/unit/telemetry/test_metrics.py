"""The Prometheus page: contract names, own registry, bounded labels."""

from axonflow_telemetry import Metrics


def page(metrics: Metrics) -> str:
    return metrics.exposition()[0].decode()


def test_the_page_carries_the_contract_names():
    metrics = Metrics()
    metrics.openai_requests.labels(status="success").inc()
    metrics.openai_duration_ms.observe(150)
    metrics.openai_tokens("prompt", "gpt-4o", 12)
    metrics.audit_queued.labels(type="audit", status="written").inc()
    metrics.audit_fallback.inc()
    text = page(metrics)
    assert 'axonflow_openai_compat_requests_total{status="success"} 1.0' in text
    assert 'axonflow_openai_compat_tokens_total{model="gpt-4o",type="prompt"} 12.0' in text
    assert 'axonflow_gateway_audit_queued_total{status="written",type="audit"} 1.0' in text
    assert "axonflow_gateway_audit_fallback_total 1.0" in text


def test_the_duration_histogram_has_the_contract_buckets():
    metrics = Metrics()
    metrics.openai_duration_ms.observe(150)
    lines = [line for line in page(metrics).splitlines() if "openai_compat_duration_milliseconds_bucket" in line]
    bounds = [line.split('le="')[1].split('"')[0] for line in lines]
    assert [float(bound) for bound in bounds[:-1]] == [10, 50, 100, 200, 500, 1000, 2000, 5000, 10000]
    assert bounds[-1] == "+Inf"
    assert lines[2].endswith(" 0.0")
    assert lines[3].endswith(" 1.0")


def test_two_services_in_one_process_do_not_share_counts():
    one, two = Metrics(), Metrics()
    one.audit_written.inc()
    assert "axonflow_audit_written_total 1.0" in page(one)
    assert "axonflow_audit_written_total 0.0" in page(two)


def test_a_provider_that_makes_up_model_names_cannot_grow_the_page():
    metrics = Metrics()
    for index in range(1_000):
        metrics.openai_tokens("prompt", f"made-up-{index}", 1)
    text = page(metrics)
    assert text.count("axonflow_openai_compat_tokens_total{") <= 201
    assert 'model="other",type="prompt"} 800.0' in text


def test_watched_values_are_read_when_the_page_is():
    metrics = Metrics()
    state = {"age": 1.5, "writable": True}
    metrics.watch_policy_set_age(lambda: state["age"])
    metrics.watch_audit_writable(lambda: state["writable"])
    assert "axonflow_policy_set_age_seconds 1.5" in page(metrics)
    state.update(age=3.0, writable=False)
    assert "axonflow_policy_set_age_seconds 3.0" in page(metrics)
    assert "axonflow_audit_writable 0.0" in page(metrics)


def test_no_created_series_stand_beside_the_counters():
    metrics = Metrics()
    metrics.openai_requests.labels(status="success").inc()
    assert "_created" not in page(metrics)


def test_circuits_are_shown_while_they_are_open_and_as_closed_after_that():
    metrics, open_now = Metrics(), [("acme", "client", "robot", 1), ("acme", "policy", "tenant_names_1f", 2)]
    metrics.circuits.watch(lambda: open_now)
    text = page(metrics)
    assert 'axonflow_circuit_state{org_id="acme",scope="client",scope_id="robot"} 1.0' in text
    assert 'axonflow_circuit_state{org_id="acme",scope="policy",scope_id="custom"} 2.0' in text, "no words of a tenant"
    open_now.clear()
    assert 'axonflow_circuit_state{org_id="acme",scope="client",scope_id="robot"} 0.0' in page(metrics)
