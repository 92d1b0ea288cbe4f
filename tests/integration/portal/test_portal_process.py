"""The portal as the process it is in production, on a real database, in front of an agent that checks tokens."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axonflow_database import Database, internal_secret
from support.agent_stand_in import SECRET, AgentStandIn, agent_stand_in
from support.policies import catalogue_like
from support.postgres import service_settings
from support.processes import Service, running_service, start_service

OTHER_SECRET = "another-secret-0123456789abcdef0123456789"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(service: Service, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


async def generated_secret(url: str) -> str:
    settings = service_settings(url)
    database = await Database.open(settings)
    try:
        return (await internal_secret(settings, database)).reveal()
    finally:
        await database.close()


@pytest.fixture(scope="module")
def agent(module_database_url: str) -> Iterator[AgentStandIn]:
    """An agent with the secret that community keeps in the database."""
    with agent_stand_in(catalogue_like(), secret=asyncio.run(generated_secret(module_database_url))) as running:
        yield running


@pytest.fixture(scope="module")
def portal(
    module_database_url: str, agent: AgentStandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A community portal with no secret in its environment."""
    log = tmp_path_factory.mktemp("portal") / "portal.log"
    with running_service(
        "axonflow_portal", {"DATABASE_URL": module_database_url, "AGENT_URL": agent.url}, log
    ) as running:
        yield running


@pytest.fixture(scope="module")
def estranged(
    module_database_url: str, agent: AgentStandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A portal whose secret is another than the agent's."""
    log = tmp_path_factory.mktemp("estranged") / "portal.log"
    env = {
        "DATABASE_URL": module_database_url,
        "AGENT_URL": agent.url,
        "AXONFLOW_INTERNAL_SERVICE_SECRET": OTHER_SECRET,
    }
    with running_service("axonflow_portal", env, log) as running:
        yield running


def test_community_needs_no_variable_to_list_every_policy(portal: Service) -> None:
    page = ask(portal, "/policies")
    assert page.status == 200
    assert "127 policies" in page.text
    assert page.text.count('<tr role="row"') == 128


def test_the_front_door_is_the_overview_and_says_what_it_could_not_read(portal: Service) -> None:
    answer = ask(portal, "/")
    assert answer.status == 502  # no orchestrator, and this stand-in for an agent holds policies alone
    assert "Calls could not be read" in answer.text
    assert "ORCHESTRATOR_URL" in answer.text
    assert 'class="tiles"' not in answer.text


def test_the_form_narrows_the_list_without_a_script(portal: Service) -> None:
    page = ask(portal, "/policies?q=&category=pii-global&severity=low&tier=system&enabled=true&sort=-priority")
    assert "1 of 127 policies" in page.text
    assert "sys_pii_booking_ref" in page.text


def test_a_filter_that_cannot_be_read_is_said_and_not_ignored(portal: Service) -> None:
    page = ask(portal, "/policies?severity=deadly")
    assert page.status == 400
    assert "severity must be one of critical, high, medium, low." in page.text


def test_one_policy_has_a_page_under_its_id(portal: Service) -> None:
    page = ask(portal, "/policies/sys_pii_ssn")
    assert page.status == 200
    assert "Request blocked by policy: Social Security Number detected" in page.text


def test_a_policy_that_is_not_there_is_404(portal: Service) -> None:
    assert ask(portal, "/policies/sys_unicorn").status == 404


def test_the_same_list_is_there_as_json(portal: Service) -> None:
    answer = ask(portal, "/api/v1/portal/policies?category=security-dangerous")
    assert answer.status == 200
    assert answer.json["total"] == len(answer.json["policies"]) == 1
    assert (answer.json["partial"], answer.json["source_errors"]) == (False, [])
    assert answer.json["policies"][0]["metadata"]["category"] == "security-dangerous"


def test_a_filter_that_cannot_be_read_is_400_in_json(portal: Service) -> None:
    answer = ask(portal, "/api/v1/portal/policies?enabled=perhaps")
    assert answer.status == 400
    assert answer.json["error"]["message"] == "enabled must be one of true, false"


def test_another_secret_is_a_banner_with_its_variable_and_never_an_empty_table(estranged: Service) -> None:
    page = ask(estranged, "/policies")
    assert page.status == 502
    assert "System policies could not be read" in page.text
    assert "AXONFLOW_INTERNAL_SERVICE_SECRET" in page.text
    assert "<table" not in page.text
    assert "0 policies" not in page.text


def test_another_secret_is_a_source_error_in_json(estranged: Service) -> None:
    answer = ask(estranged, "/api/v1/portal/policies")
    assert answer.status == 502
    assert (answer.json["policies"], answer.json["total"], answer.json["partial"]) == ([], 0, True)
    (error,) = answer.json["source_errors"]
    assert (error["source"], error["status"]) == ("agent", 401)
    assert "AXONFLOW_INTERNAL_SERVICE_SECRET" in error["message"]


def test_a_policy_behind_a_failed_source_is_not_called_missing(estranged: Service) -> None:
    page = ask(estranged, "/policies/sys_pii_ssn")
    assert page.status == 502
    assert "AXONFLOW_INTERNAL_SERVICE_SECRET" in page.text


def test_readiness_and_health_tell_the_broken_link(estranged: Service) -> None:
    ready = ask(estranged, "/ready")
    assert ready.status == 200
    assert any("AXONFLOW_INTERNAL_SERVICE_SECRET" in reason for reason in ready.json["degraded"])
    health = ask(estranged, "/health").json
    assert (health["status"], health["service"], health["version"]) == ("healthy", "axonflow-portal", "8.4.0")
    assert health["links"]["agent"]["state"] == "broken"


def test_a_whole_link_is_not_degraded(portal: Service, agent: AgentStandIn) -> None:
    degraded = ask(portal, "/ready").json["degraded"]
    assert [reason for reason in degraded if reason.startswith("agent")] == []
    assert ask(portal, "/health").json["links"]["agent"] == {"state": "ok"}


def test_an_orchestrator_that_is_away_is_told_by_its_variable(portal: Service) -> None:
    (reason,) = ask(portal, "/ready").json["degraded"]
    assert "ORCHESTRATOR_URL" in reason


def test_no_secret_is_logged(estranged: Service, portal: Service) -> None:
    ask(estranged, "/policies")
    assert OTHER_SECRET not in estranged.output
    assert "axonflow-internal-token" not in portal.output.lower()


@pytest.mark.parametrize("path", ["/policies", "/policies/sys_unicorn", "/", "/static/portal.css", "/health", "/api/x"])
def test_every_answer_forbids_scripts_frames_and_sniffing(portal: Service, path: str) -> None:
    headers = ask(portal, path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "script-src" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/policies", "/static/portal.css", "/api/v1/portal/policies", "/nowhere"])
def test_a_name_that_points_here_from_elsewhere_is_refused(portal: Service, path: str) -> None:
    answer = ask(portal, path, headers={"Host": "rebound.evil.example"})
    assert answer.status == 421
    assert "AXONFLOW_PORTAL_ALLOWED_HOSTS" in answer.text
    assert "sys_" not in answer.text


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/..%2fapp.py"]
)
def test_nothing_but_the_static_files_is_served(portal: Service, path: str) -> None:
    assert ask(portal, path).status in {400, 404}


def test_unknown_addresses_are_404_in_their_own_kind(portal: Service) -> None:
    assert "There is no such page" in ask(portal, "/nowhere").text
    assert ask(portal, "/api/v1/nowhere").json["error"] == "not_found"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_here_can_be_written(portal: Service, method: str) -> None:
    assert ask(portal, "/policies", method).status == 405


def test_it_ends_on_a_signal_with_code_zero(module_database_url: str, agent: AgentStandIn, tmp_path: Path) -> None:
    env = {"DATABASE_URL": module_database_url, "AGENT_URL": agent.url}
    with running_service("axonflow_portal", env, tmp_path / "log") as running:
        assert running.terminate() == 0


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"AXONFLOW_INTERNAL_SERVICE_SECRET": SECRET[:31]}, "AXONFLOW_INTERNAL_SERVICE_SECRET must be at least 32"),
        ({"DEPLOYMENT_MODE": "enterprise"}, "AXONFLOW_INTERNAL_SERVICE_SECRET is not set"),
        ({"AGENT_URL": "agent:8080"}, "AGENT_URL must be"),
        ({"DATABASE_URL": "postgresql://nobody:x@127.0.0.1:9/axonflow"}, "PostgreSQL"),
    ],
)
def test_what_cannot_work_refuses_to_boot_with_a_sentence(
    module_database_url: str, tmp_path: Path, env: dict[str, str], sentence: str
) -> None:
    service = start_service("axonflow_portal", {"DATABASE_URL": module_database_url, **env}, tmp_path / "log")
    try:
        assert service.process.wait(60) != 0
        assert sentence in service.output
        assert "Traceback" not in service.output
    finally:
        service.process.kill()
