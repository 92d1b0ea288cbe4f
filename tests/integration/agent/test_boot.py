"""What an agent says when it cannot start, and what it promises once it has."""

from __future__ import annotations

import stat

import pytest
from axonflow_contracts.version import platform_version
from support.gateway import gateway_env, request, running_gateway
from support.processes import Service, start_service
from support.upstream import running_upstream


def boot(database_url: str, directory, **env: str) -> Service:
    with running_upstream() as upstream:
        environ = gateway_env(database_url, upstream, "community", directory) | env
    service = start_service("axonflow_agent", environ, directory / "agent.log")
    service.process.wait(60)
    return service


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"DEPLOYMENT_MODE": "prod"}, "DEPLOYMENT_MODE must be one of"),
        ({"DEPLOYMENT_MODE": "enterprise"}, "AXONFLOW_INTERNAL_SERVICE_SECRET is not set"),
        ({"AXONFLOW_PROFILE": "lax"}, "AXONFLOW_PROFILE must be one of"),
        ({"AXONFLOW_ENFORCE": "pii,everything"}, "AXONFLOW_ENFORCE must be"),
        ({"PII_ACTION": "maybe"}, "PII_ACTION must be one of"),
        ({"SQLI_ACTION": "redact"}, "SQLI_ACTION must be one of"),
        ({"AXONFLOW_BOOTSTRAP_CLIENT": "app:short"}, "AXONFLOW_BOOTSTRAP_CLIENT must be"),
        ({"AXONFLOW_INTERNAL_SERVICE_SECRET": "x" * 31}, "at least 32 characters"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set"),
        ({"DEPLOYMENT_KIND": "production", "ORG_ID": "local-dev-org"}, "ORG_ID"),
    ],
)
def test_a_variable_that_cannot_govern_refuses_the_boot_with_a_sentence(database_url: str, tmp_path, env, said):
    service = boot(database_url, tmp_path, **env)
    assert service.process.returncode == 1
    assert said in service.output
    assert "Traceback" not in service.output


def test_an_unusable_fallback_directory_refuses_the_boot_and_names_it(database_url: str, tmp_path):
    target = tmp_path / "not-a-directory"
    target.write_text("")
    service = boot(database_url, tmp_path, AUDIT_FALLBACK_PATH=str(target / "audit.jsonl"))
    assert service.process.returncode == 1
    assert str(target) in service.output


def test_a_taken_port_is_a_sentence(database_url: str, tmp_path):
    with running_upstream() as upstream, running_gateway(database_url, upstream, tmp_path) as running:
        second = boot(database_url, tmp_path, PORT=str(running.service.port))
        assert second.process.returncode == 1
        assert f"port {running.service.port}" in second.output


def test_health_is_the_discovery_that_clients_read(database_url: str, tmp_path):
    with running_upstream() as upstream, running_gateway(database_url, upstream, tmp_path) as running:
        answer = request(f"{running.service.url}/health", "GET", {})
        body = answer.json
        assert (answer.status, body["status"], body["service"]) == (200, "healthy", "axonflow-agent")
        assert body["version"] == platform_version() == "8.4.0"
        assert body["tier"] == "community"
        assert {"name", "since", "description"} == set(body["capabilities"][0])
        assert body["sdk_compatibility"]["recommended_sdk_version"]["python"] == "8.3.0"
        assert body["plugin_compatibility"]["min_plugin_version"]["claude-code"] == "1.4.0"
        ready = request(f"{running.service.url}/ready", "GET", {})
        assert (ready.status, ready.json["degraded"]) == (200, [])


def test_the_metrics_page_counts_calls_and_rows(database_url: str, tmp_path):
    with running_upstream() as upstream, running_gateway(database_url, upstream, tmp_path) as running:
        running.chat("hello")
        running.chat("My SSN is 123-45-6789")
        page = request(f"{running.service.url}/prometheus", "GET", {}).body.decode()
        assert 'axonflow_openai_compat_requests_total{status="success"} 1.0' in page
        assert 'axonflow_openai_compat_requests_total{status="denied"} 1.0' in page
        assert 'axonflow_openai_compat_tokens_total{model="gpt-4o-mini-2024-07-18",type="prompt"} 12.0' in page
        assert "axonflow_audit_written_total 2.0" in page


def test_fallback_files_are_for_their_owner_alone(database_url: str, tmp_path):
    with running_upstream() as upstream, running_gateway(database_url, upstream, tmp_path) as running:
        modes = {stat.S_IMODE(path.stat().st_mode) for path in running.audit_dir.iterdir() if path.is_file()}
        assert modes <= {0o600}
