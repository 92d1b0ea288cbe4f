"""Model providers through the unmodified official SDK: a page, every page, and filters, behind one agent."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from support.axonflow_sdk import AxonFlowSdk, call
from support.gateway import CLIENT, CLIENT_SECRET, INTERNAL_SECRET, ORG, Gateway, running_gateway
from support.postgres import Server
from support.processes import running_service
from support.upstream import Upstream

PATH = "/api/v1/llm-providers"
KEY = "sk-canary-of-the-contract-test"


@pytest.fixture(scope="module")
def stack(postgres_server: Server, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """An agent before an orchestrator, with one provider of the operator's and five of the client's."""
    directory = tmp_path_factory.mktemp("providers")
    with postgres_server.database() as url:
        environ = {
            "DATABASE_URL": url,
            "DEPLOYMENT_MODE": "enterprise",
            "ORG_ID": ORG,
            "AXONFLOW_INTERNAL_SERVICE_SECRET": INTERNAL_SECRET,
            "AXONFLOW_SEALING_KEY": "a7" * 32,
            "AXONFLOW_EGRESS_ALLOW": "127.0.0.1",
            "AXONFLOW_LLM_HEALTH_PROBES": "false",
            "AUDIT_FALLBACK_PATH": str(directory / "orchestrator.jsonl"),
            "OPENAI_API_KEY": KEY,
            "OPENAI_MODEL": "gpt-4o",
        }
        log = directory / "orchestrator.log"
        with (
            running_service("axonflow_orchestrator", environ, log) as behind,
            running_gateway(url, upstream, directory, "enterprise", ORCHESTRATOR_URL=behind.url) as gateway,
        ):
            for number in range(5):
                provider = {
                    "name": f"local-{number}",
                    "type": "vllm",
                    "endpoint": "http://127.0.0.1:9/v1",
                    "api_key": KEY,
                    "region": "eu-west-1",
                    "enabled": number != 3,
                    "rate_limit": 60,
                    "settings": {"regions": ["eu"]},
                }
                made = gateway.post(provider, path=PATH)
                assert made.status == 201, made.body
            yield gateway
            assert KEY not in behind.output
            assert KEY not in gateway.service.output


@pytest.mark.parametrize("sync", [False, True])
def test_providers_are_listed_by_page_whole_and_filtered(sdk: AxonFlowSdk, stack: Gateway, *, sync: bool) -> None:
    outcomes = sdk.run(
        stack.service.url,
        call("list_providers"),
        call("list_providers_paged", page=2, page_size=4),
        call("list_all_providers", page_size=2),
        call("list_providers", provider_type="vllm", enabled=False),
        client_id=CLIENT,
        client_secret=CLIENT_SECRET,
        sync=sync,
    )
    assert [each for each in outcomes if "error" in each] == []
    listed, paged, everything, off = (each["value"] for each in outcomes)
    names = [*(f"local-{number}" for number in range(5)), "openai"]
    assert [each["name"] for each in listed] == names
    assert [each["name"] for each in everything] == names
    assert [each["name"] for each in paged["providers"]] == names[4:]
    assert paged["pagination"] == {"page": 2, "page_size": 4, "total_items": 6, "total_pages": 2}
    assert [each["name"] for each in off] == ["local-3"]
    local, openai = listed[0], listed[-1]
    assert (local["type"], local["endpoint"], local["region"]) == ("vllm", "http://127.0.0.1:9/v1", "eu-west-1")
    assert (local["priority"], local["weight"], local["rate_limit"], local["timeout_seconds"]) == (100, 100, 60, 30)
    assert (local["settings"], local["has_api_key"]) == ({"regions": ["eu"]}, True)
    assert local["health"]["status"] == "unknown"
    assert (openai["type"], openai["model"], openai["has_api_key"]) == ("openai", "gpt-4o", True)
    assert KEY not in json.dumps(outcomes)
