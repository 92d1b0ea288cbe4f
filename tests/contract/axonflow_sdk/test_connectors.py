"""Connectors through the unmodified official SDK: installed, looked at, asked and removed, behind one agent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from support.axonflow_sdk import AxonFlowSdk, call
from support.gateway import CLIENT, CLIENT_SECRET, INTERNAL_SECRET, ORG, Gateway, running_gateway
from support.postgres import Server
from support.processes import running_service
from support.upstream import Upstream

KEY = "a7" * 32


@pytest.fixture(scope="module")
def stack(postgres_server: Server, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """An agent before an orchestrator, and a file of people for their connectors."""
    directory = tmp_path_factory.mktemp("connectors")
    (directory / ORG).mkdir()
    with sqlite3.connect(directory / ORG / "crm.db") as file:
        file.execute("CREATE TABLE people (name TEXT, ssn TEXT)")
        file.execute("INSERT INTO people VALUES ('Ann', '123-45-6789')")
    shared = {"AXONFLOW_SEALING_KEY": KEY, "AXONFLOW_CONNECTOR_SQLITE_DIR": str(directory), "MCP_PII_ACTION": "redact"}
    with postgres_server.database() as url:
        environ = {
            "DATABASE_URL": url,
            "DEPLOYMENT_MODE": "enterprise",
            "ORG_ID": ORG,
            "AXONFLOW_INTERNAL_SERVICE_SECRET": INTERNAL_SECRET,
            "AUDIT_FALLBACK_PATH": str(directory / "orchestrator.jsonl"),
        }
        with (
            running_service("axonflow_orchestrator", environ | shared, directory / "orchestrator.log") as behind,
            running_gateway(url, upstream, directory, "enterprise", ORCHESTRATOR_URL=behind.url, **shared) as gateway,
        ):
            yield gateway


def run(sdk: AxonFlowSdk, gateway: Gateway, *calls: dict[str, Any], sync: bool) -> list[Any]:
    outcomes = sdk.run(gateway.service.url, *calls, client_id=CLIENT, client_secret=CLIENT_SECRET, sync=sync)
    assert [each for each in outcomes if "error" in each] == []
    return [each["value"] for each in outcomes]


@pytest.mark.parametrize("sync", [False, True])
def test_a_connector_lives_from_install_to_removal(sdk: AxonFlowSdk, stack: Gateway, *, sync: bool) -> None:
    fields = {
        "connector_id": "sqlite",
        "name": "crm",
        "tenant_id": CLIENT,
        "options": {"path": "crm.db"},
        "credentials": {},
    }
    listed, _, one, health, rows, refused, writing, _, after = run(
        sdk,
        stack,
        call("list_connectors"),
        call("install_connector", request=("ConnectorInstallRequest", fields)),
        call("get_connector", connector_id="crm"),
        call("get_connector_health", connector_id="crm"),
        call("mcp_query", connector="crm", statement="SELECT name, ssn FROM people"),
        call(
            "mcp_query", connector="crm", statement="SELECT 1 FROM people WHERE 1=1 UNION SELECT password FROM users--"
        ),
        call("mcp_execute", connector="crm", statement="DELETE FROM people"),
        call("uninstall_connector", connector_name="crm"),
        call("list_connectors"),
        sync=sync,
    )
    assert "crm" not in {each["id"] for each in listed}
    assert (one["name"], one["type"], one["installed"]) == ("crm", "sqlite", True)
    assert health["healthy"] is True
    assert health["latency"] >= 0
    assert (rows["success"], rows["redacted"], rows["redacted_fields"]) == (True, True, ["data[0].ssn"])
    assert (rows["data"][0]["name"], "123-45" in rows["data"][0]["ssn"]) == ("Ann", False)
    assert rows["policy_info"]["policies_evaluated"] > 0
    assert refused["success"] is False
    assert refused["error"]
    assert writing["success"] is False
    assert "crm" not in {each["id"] for each in after}
