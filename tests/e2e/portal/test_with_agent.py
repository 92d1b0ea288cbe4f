"""Portal and agent together, each as its own process on one database: what one enforces, the other shows."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axonflow_policy import catalogue
from support.processes import Service, running_service

SECRET = "internal-secret-0123456789abcdef0123456789"
OTHER = "another-secret-0123456789abcdef01234567890"


def policies(portal: Service) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(f"{portal.url}/api/v1/portal/policies", timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def environment(database_url: str, folder: Path, **env: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "AUDIT_FALLBACK_PATH": str(folder / "audit.jsonl"), **env}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def agent(module_database_url: str, folder: Path) -> Iterator[Service]:
    """An agent that demands credentials, so that only the token lets the portal in."""
    env = environment(
        module_database_url,
        folder,
        DEPLOYMENT_MODE="evaluation",
        AXONFLOW_INTERNAL_SERVICE_SECRET=SECRET,
        PII_ACTION="warn",
    )
    with running_service("axonflow_agent", env, folder / "agent.log") as running:
        yield running


def portal_for(agent: Service, database_url: str, folder: Path, secret: str) -> dict[str, str]:
    return environment(
        database_url,
        folder,
        DEPLOYMENT_MODE="evaluation",
        AXONFLOW_INTERNAL_SERVICE_SECRET=secret,
        AGENT_URL=agent.url,
    )


def test_the_portal_lists_what_the_agent_enforces(agent: Service, module_database_url: str, folder: Path) -> None:
    env = portal_for(agent, module_database_url, folder, SECRET)
    with running_service("axonflow_portal", env, folder / "portal.log") as portal:
        status, listed = policies(portal)
    assert (status, listed["partial"]) == (200, False)
    shown = {policy["policy_id"]: policy for policy in listed["policies"]}
    assert set(shown) == {policy.id for policy in catalogue()}
    assert listed["total"] == len(catalogue())
    ssn = shown["sys_pii_ssn"]["metadata"]
    assert ssn["reason"] == "Social Security Number detected"
    assert (ssn["action_request"], ssn["action_request_origin"]) == ("warn", "env:PII_ACTION")


def test_another_secret_is_told_and_no_list_is_shown(agent: Service, module_database_url: str, folder: Path) -> None:
    env = portal_for(agent, module_database_url, folder, OTHER)
    with running_service("axonflow_portal", env, folder / "portal.log") as portal:
        status, listed = policies(portal)
    assert (status, listed["policies"], listed["partial"]) == (502, [], True)
    assert listed["source_errors"][0]["status"] == 401
    assert "AXONFLOW_INTERNAL_SERVICE_SECRET" in listed["source_errors"][0]["message"]


def test_an_agent_that_dies_is_told_and_found_again(
    agent: Service, module_database_url: str, folder: Path, tmp_path: Path
) -> None:
    env = portal_for(agent, module_database_url, folder, SECRET)
    second = {**environment(module_database_url, tmp_path, DEPLOYMENT_MODE="evaluation"),
              "AXONFLOW_INTERNAL_SERVICE_SECRET": SECRET}  # fmt: skip
    with running_service("axonflow_agent", second, tmp_path / "agent.log") as mortal:
        port = mortal.port
        with running_service("axonflow_portal", {**env, "AGENT_URL": mortal.url}, tmp_path / "portal.log") as portal:
            assert policies(portal)[0] == 200
            mortal.kill()
            status, listed = policies(portal)
            assert status == 502
            assert "AGENT_URL" in listed["source_errors"][0]["message"]
            with running_service("axonflow_agent", second, tmp_path / "agent.log", port=port):
                assert policies(portal)[0] == 200
