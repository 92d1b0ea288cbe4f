"""The compose files: what they promise about health, reach, survival and settings, checked without an engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from axonflow_agent.settings import AgentSettings
from axonflow_orchestrator.settings import OrchestratorSettings
from axonflow_portal.settings import PortalSettings
from axonflow_settings import Limits, ServiceSettings
from axonflow_settings.core import variables

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy" / "compose"
STRUCTS: dict[str, type[ServiceSettings]] = {
    "axonflow-agent": AgentSettings,
    "axonflow-orchestrator": OrchestratorSettings,
    "customer-portal": PortalSettings,
}
PORTS = {"axonflow-agent": 8080, "axonflow-orchestrator": 8081, "customer-portal": 8082}
# What the file decides and the caller's environment does not: addresses and paths inside the containers.
FIXED = {"HOST", "PORT", "AGENT_URL", "ORCHESTRATOR_URL", "PORTAL_URL", "AUDIT_FALLBACK_PATH"}
# What a container does not offer: the image holds one server, and listens on every address of its own.
ABSENT = {"AXONFLOW_SERVER", "HOST"}
# Variables of compose and the Makefile alone.
OURS = {"AGENT_PORT", "ORCHESTRATOR_PORT", "PORTAL_PORT", "POSTGRES_PORT"}
REFERENCE = re.compile(r"\$\{(\w+)(?::[-?][^}]*)?\}")


def _read(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return parsed


@pytest.fixture(scope="module")
def base() -> dict[str, Any]:
    return _read("docker-compose.yml")


@pytest.fixture(scope="module")
def overlay() -> dict[str, Any]:
    return _read("docker-compose.enterprise.yml")


def _names(struct: type[ServiceSettings]) -> set[str]:
    """Every variable a service reads, older names and family members included."""
    found: set[str] = set()
    for _, declared in variables(struct):
        if declared.family:
            prefix = declared.name.removesuffix("<NAME>")
            found |= {prefix + member.upper() for member in declared.family}
        else:
            found |= {declared.name, *declared.aliases}
    return found


def test_the_stack_is_postgres_and_the_three_services(base: dict[str, Any]) -> None:
    assert set(base["services"]) == {"postgres", *STRUCTS}
    assert base["services"]["postgres"]["image"] == "postgres:15-bookworm"


@pytest.mark.parametrize("name", STRUCTS)
def test_health_is_asked_by_curl_on_the_services_own_port(base: dict[str, Any], name: str) -> None:
    command = base["services"][name]["healthcheck"]["test"]
    assert command[:3] == ["CMD", "curl", "-f"]
    assert command[-1] == f"http://localhost:{PORTS[name]}/health"
    assert base["services"][name]["environment"]["PORT"] == PORTS[name]


def test_postgres_is_asked_by_tcp_and_all_wait_for_it(base: dict[str, Any]) -> None:
    command = base["services"]["postgres"]["healthcheck"]["test"]
    assert command[:4] == ["CMD", "pg_isready", "-h", "localhost"]
    assert all(base["services"][name]["depends_on"]["postgres"] == {"condition": "service_healthy"} for name in STRUCTS)


def test_only_the_agents_port_leaves_the_machine(base: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in base["services"].items()}
    assert published == {
        "postgres": ["127.0.0.1:${POSTGRES_PORT:-5432}:5432"],
        "axonflow-agent": ["${AGENT_PORT:-8080}:8080"],
        "axonflow-orchestrator": ["127.0.0.1:${ORCHESTRATOR_PORT:-8081}:8081"],
        "customer-portal": ["127.0.0.1:${PORTAL_PORT:-8082}:8082"],
    }


def test_everything_is_started_again_unless_stopped_by_hand(base: dict[str, Any]) -> None:
    assert {service["restart"] for service in base["services"].values()} == {"unless-stopped"}


@pytest.mark.parametrize("name", STRUCTS)
def test_a_service_runs_confined_and_within_limits(base: dict[str, Any], name: str) -> None:
    service = base["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["cpus"]


def test_a_stop_leaves_time_to_drain(base: dict[str, Any]) -> None:
    default_s = next(
        field.default for field, declared in variables(ServiceSettings) if declared.name.endswith("DRAIN_TIMEOUT")
    )
    assert all(int(base["services"][name]["stop_grace_period"].removesuffix("s")) > default_s for name in STRUCTS)


def test_data_and_waiting_audit_rows_live_on_named_volumes(base: dict[str, Any]) -> None:
    assert set(base["volumes"]) == {"postgres-data", "audit-data"}
    assert base["services"]["postgres"]["volumes"] == ["postgres-data:/var/lib/postgresql/data"]
    for name in STRUCTS:
        assert base["services"][name]["volumes"] == ["audit-data:/var/lib/axonflow/audit"]
        assert base["services"][name]["environment"]["AUDIT_FALLBACK_PATH"].startswith("/var/lib/axonflow/audit/")


@pytest.mark.parametrize("name", STRUCTS)
def test_compose_and_the_settings_struct_name_the_same_variables(base: dict[str, Any], name: str) -> None:
    set_here = set(base["services"][name]["environment"])
    assert set_here - _names(STRUCTS[name]) == set()
    assert _names(STRUCTS[name]) - set_here - ABSENT == set()


@pytest.mark.parametrize("name", STRUCTS)
def test_every_variable_that_is_not_an_address_inside_is_passed_on_by_its_own_name(
    base: dict[str, Any], name: str
) -> None:
    for variable, value in base["services"][name]["environment"].items():
        if variable in FIXED:
            assert REFERENCE.findall(str(value)) == [], variable
        else:
            assert REFERENCE.findall(value) == [variable]


def test_every_limit_can_be_overridden(base: dict[str, Any]) -> None:
    passed = set(base["services"]["axonflow-agent"]["environment"])
    assert {f"AXONFLOW_LIMIT_{field.upper()}" for field in Limits.__struct_fields__} <= passed


def test_community_asks_for_nothing(base: dict[str, Any]) -> None:
    assert ":?" not in (FOLDER / "docker-compose.yml").read_text(encoding="utf-8")
    assert not (FOLDER / ".env").exists()
    secret = base["services"]["axonflow-agent"]["environment"]["AXONFLOW_INTERNAL_SERVICE_SECRET"]
    assert secret == "${AXONFLOW_INTERNAL_SERVICE_SECRET:-}"


def test_compose_reads_no_variable_that_nothing_defines() -> None:
    text = (FOLDER / "docker-compose.yml").read_text(encoding="utf-8")
    known = set().union(*(_names(struct) for struct in STRUCTS.values())) | OURS
    assert set(REFERENCE.findall(text)) - known == set()


def test_the_overlay_stops_without_a_value_that_must_not_be_guessable(overlay: dict[str, Any]) -> None:
    required = {"ORG_ID", "DATABASE_PASSWORD", "AXONFLOW_INTERNAL_SERVICE_SECRET"}
    for name in STRUCTS:
        values = overlay["services"][name]["environment"]
        assert values["DEPLOYMENT_MODE"] == "${DEPLOYMENT_MODE:-enterprise}"
        assert values["DEPLOYMENT_KIND"] == "${DEPLOYMENT_KIND:-dev}"
        for variable in required | ({"ADMIN_API_KEY", "JWT_SECRET"} if name == "axonflow-agent" else set()):
            assert values[variable].startswith(f"${{{variable}:?set {variable}")


def test_the_overlay_adds_no_variable_that_the_services_do_not_read(overlay: dict[str, Any]) -> None:
    for name, struct in STRUCTS.items():
        assert set(overlay["services"][name]["environment"]) <= _names(struct)


def test_the_portal_of_the_overlay_waits_for_both_backends(overlay: dict[str, Any]) -> None:
    waits = overlay["services"]["customer-portal"]["depends_on"]
    assert waits == {name: {"condition": "service_healthy"} for name in ("axonflow-agent", "axonflow-orchestrator")}
