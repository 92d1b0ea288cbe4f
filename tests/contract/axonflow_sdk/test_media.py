"""Media governance through the unmodified official SDK, behind one agent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from support.axonflow_sdk import AxonFlowSdk, call
from support.gateway import CLIENT, CLIENT_SECRET, INTERNAL_SECRET, ORG, Gateway, running_gateway
from support.postgres import Server
from support.processes import running_service
from support.upstream import Upstream


@pytest.fixture(scope="module")
def stack(postgres_server: Server, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("media")
    with postgres_server.database() as url:
        environ = {
            "DATABASE_URL": url,
            "DEPLOYMENT_MODE": "enterprise",
            "ORG_ID": ORG,
            "AXONFLOW_INTERNAL_SERVICE_SECRET": INTERNAL_SECRET,
            "AUDIT_FALLBACK_PATH": str(directory / "orchestrator.jsonl"),
        }
        with (
            running_service("axonflow_orchestrator", environ, directory / "orchestrator.log") as behind,
            running_gateway(url, upstream, directory, "enterprise", ORCHESTRATOR_URL=behind.url) as gateway,
        ):
            yield gateway


def changed(**fields: Any) -> dict[str, Any]:
    return call("update_media_governance_config", request=("UpdateMediaGovernanceConfigRequest", fields))


@pytest.mark.parametrize("sync", [False, True])
def test_a_tenant_looks_at_its_media_governance_and_changes_it(sdk: AxonFlowSdk, stack: Gateway, *, sync: bool) -> None:
    outcomes = sdk.run(
        stack.service.url,
        call("get_media_governance_status"),
        changed(enabled=False, allowed_analyzers=["nsfw", "pii"]),
        changed(enabled=True),
        call("get_media_governance_config"),
        changed(allowed_analyzers=["astrology"]),
        client_id=CLIENT,
        client_secret=CLIENT_SECRET,
        sync=sync,
    )
    status, off, on, config = (each["value"] for each in outcomes[:4])
    assert status == {
        "available": True, "enabled_by_default": True, "per_tenant_control": True, "tier": "enterprise",
    }  # fmt: skip
    assert (off["enabled"], off["allowed_analyzers"]) == (False, ["nsfw", "pii"])
    assert off["updated_by"].startswith(CLIENT)
    assert (on["enabled"], on["allowed_analyzers"]) == (True, ["nsfw", "pii"])
    assert datetime.fromisoformat(off["updated_at"]) < datetime.fromisoformat(on["updated_at"])
    assert config == on
    assert "astrology" not in outcomes[4]["message"]
    assert "must be one of nsfw, violence, faces" in outcomes[4]["message"]
