"""What each service of the native form is given, and whose database it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from axonflow_native.refusal import CannotStart
from axonflow_native.stack import Stack

OUTSIDE = "postgresql://me:mine@db.example:5432/ours?sslmode=require"
PORTS = {"AGENT_PORT": "1080", "ORCHESTRATOR_PORT": "1081", "PORTAL_PORT": "1082", "POSTGRES_PORT": "1432"}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("axonflow_native.places.default_state_dir", lambda name: tmp_path / "state" / name)
    return tmp_path / "state"


def read(checkout: Path, **environ: str) -> Stack:
    return Stack.read(checkout, {**PORTS, **environ})


def embedded_url(stack: Stack) -> str:
    """Write the password that the first start would make, and say where the database then is."""
    assert stack.database is not None
    stack.database.server.password_file.parent.mkdir(parents=True)
    stack.database.server.password_file.write_text("made-by-the-first-start")
    return stack.database.url()


@pytest.mark.usefixtures("state")
def test_a_callers_database_is_used_and_nothing_is_embedded(tmp_path: Path) -> None:
    stack = read(tmp_path, DATABASE_URL=OUTSIDE)
    assert stack.database is None
    assert stack.environment()["DATABASE_URL"] == OUTSIDE
    assert stack.published()["DATABASE_URL"] == OUTSIDE


@pytest.mark.usefixtures("state")
def test_a_callers_database_in_parts_is_used_too(tmp_path: Path) -> None:
    stack = read(tmp_path, DATABASE_HOST="db.example", DATABASE_PASSWORD="p w")
    assert stack.database is None
    assert "DATABASE_URL" not in stack.environment()
    assert stack.published()["DATABASE_URL"].startswith("postgresql://axonflow:p%20w@db.example:5432/axonflow")


@pytest.mark.usefixtures("state")
def test_our_own_address_handed_back_by_a_shell_is_no_outside_database(tmp_path: Path) -> None:
    url = embedded_url(read(tmp_path))
    again = read(tmp_path, DATABASE_URL=url, POSTGRES_PORT="2432")
    assert again.database is not None
    assert again.environment()["DATABASE_URL"].endswith("@127.0.0.1:2432/axonflow")


@pytest.mark.usefixtures("state")
def test_each_service_has_its_port_and_everybodys_address(tmp_path: Path) -> None:
    services = {service.name: service for service in read(tmp_path, DATABASE_URL=OUTSIDE).services()}
    assert {name: service.environment["PORT"] for name, service in services.items()} == {
        "agent": "1080",
        "orchestrator": "1081",
        "portal": "1082",
    }
    for service in services.values():
        assert service.environment["AGENT_URL"] == "http://127.0.0.1:1080"
        assert service.environment["ORCHESTRATOR_URL"] == "http://127.0.0.1:1081"
        assert service.environment["PORTAL_URL"] == "http://127.0.0.1:1082"
        assert service.environment["HOST"] == "127.0.0.1"
    assert services["portal"].health_url == "http://127.0.0.1:1082/health"
    assert services["agent"].command[-2:] == ("-m", "axonflow_agent")


def test_audit_rows_that_wait_lie_in_the_state_and_not_in_the_checkout(tmp_path: Path, state: Path) -> None:
    path = read(tmp_path, DATABASE_URL=OUTSIDE).environment()["AUDIT_FALLBACK_PATH"]
    assert Path(path).is_relative_to(state)


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize(
    ("name", "value"), [("JWT_SECRET", "x" * 40), ("AUDIT_FALLBACK_PATH", "/srv/audit.jsonl"), ("PII_ACTION", "warn")]
)
def test_the_callers_environment_is_passed_through(tmp_path: Path, name: str, value: str) -> None:
    stack = read(tmp_path, DATABASE_URL=OUTSIDE, **{name: value})
    assert all(service.environment[name] == value for service in stack.services())


@pytest.mark.usefixtures("state")
def test_an_address_of_another_checkout_in_the_shell_is_not_passed_on(tmp_path: Path) -> None:
    stack = read(tmp_path, DATABASE_URL=OUTSIDE, ORCHESTRATOR_URL="http://127.0.0.1:9")
    assert stack.environment()["ORCHESTRATOR_URL"] == "http://127.0.0.1:1081"


@pytest.mark.usefixtures("state")
def test_settings_that_refuse_the_boot_are_all_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(CannotStart) as refused:
        read(tmp_path, DATABASE_URL=OUTSIDE, DEPLOYMENT_MODE="prod", AUDIT_COMMIT_WAIT_MS="soon").settings()
    assert "DEPLOYMENT_MODE must be one of community" in str(refused.value)
    assert "AUDIT_COMMIT_WAIT_MS must be" in str(refused.value)
