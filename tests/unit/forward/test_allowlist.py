"""Nothing leaves the agent that is not in the table, and everything that clients ask for is."""

from __future__ import annotations

import pytest
from axonflow_agent.forward import Allowlist, Entry, Target, default_allowlist, is_forwarded

SHIPPED = default_allowlist()

# What the published Python SDK asks of the orchestrator and the portal, one call of each family and every odd shape.
ASKED = [
    ("POST", "/api/v1/plan", "orchestrator"),
    ("GET", "/api/v1/plan/plan_1700000000_ab12cd34", "orchestrator"),
    ("POST", "/api/v1/plan/p1/rollback/2", "orchestrator"),
    ("GET", "/api/v1/plans/approvals/pending", "orchestrator"),
    ("POST", "/api/v1/workflows/wf_1/steps/s%201/gate", "orchestrator"),
    ("POST", "/api/v1/workflows/wf_1/checkpoints/resume", "orchestrator"),
    ("POST", "/api/v1/workflows/wf_1/checkpoints/7/resume", "orchestrator"),
    ("POST", "/api/v1/hitl/queue/7/approve", "orchestrator"),
    ("GET", "/api/v1/decisions/d1/explain", "orchestrator"),
    ("POST", "/api/v1/audit/tool-call", "orchestrator"),
    ("DELETE", "/api/v1/executions/e1", "orchestrator"),
    ("GET", "/api/v1/unified/executions/e1/stream", "orchestrator"),
    ("PUT", "/api/v1/dynamic-policies/p1", "orchestrator"),
    ("POST", "/api/v1/policies/impact-report", "orchestrator"),
    ("GET", "/api/v1/budgets/b1/alerts", "orchestrator"),
    ("GET", "/api/v1/pricing", "orchestrator"),
    ("GET", "/api/v1/llm-providers", "orchestrator"),
    ("DELETE", "/api/v1/connectors/c1", "orchestrator"),
    ("PUT", "/api/v1/webhooks/w1", "orchestrator"),
    ("PUT", "/api/v1/media-governance/config", "orchestrator"),
    ("GET", "/api/v1/masfeat/registry/summary", "orchestrator"),
    ("POST", "/api/v1/masfeat/killswitch/s1/configure", "orchestrator"),
    ("POST", "/api/v1/ojk/breach/notify", "orchestrator"),
    ("GET", "/ui/executions/", "orchestrator"),
    ("HEAD", "/api/v1/pricing", "orchestrator"),
    ("POST", "/api/v1/auth/login", "portal"),
    ("GET", "/api/v1/code-governance/prs/7", "portal"),
    ("DELETE", "/api/v1/code-governance/git-providers/github", "portal"),
]


@pytest.mark.parametrize(("method", "path", "target"), ASKED)
def test_what_clients_ask_for_is_forwarded(method: str, path: str, target: str):
    entry = SHIPPED.find(path)
    assert entry is not None
    assert method in entry.methods
    assert entry.target == target


NOT_FORWARDED = [
    "/api/v1/process",
    "/api/v1/mcp/evaluate-policies",
    "/mcp/evaluate-policies",
    "/health",
    "/prometheus",
    "/api/v1/static-policies",
    "/api/v1/connectors/refresh/t1/c1",
    "/api/v1/plan/p1/unknown",
    "/api/v1/plan/",
    "/api/v1/plan//versions",
    "/api/v1/workflows/wf_1/steps//gate",
    "/api/v1/PLAN",
    "/api/v1/planx",
    "/api/v1",
    "/",
    "",
    "api/v1/plan",
    "http://orchestrator/api/v1/plan",
    "/api/v1/plan/{id}/versions/more",
]


@pytest.mark.parametrize("path", NOT_FORWARDED)
def test_nothing_else_is(path: str):
    assert SHIPPED.find(path) is None
    assert not is_forwarded(path)


def test_a_literal_segment_is_stronger_than_a_parameter():
    found = [SHIPPED.find(path) for path in ("/api/v1/policies/simulate", "/api/v1/policies/p1")]
    assert [entry.path for entry in found if entry] == ["/api/v1/policies/simulate", "/api/v1/policies/{id}"]


def test_a_literal_that_leads_nowhere_gives_way_to_the_parameter():
    entries = (
        Entry("/a/b/c", frozenset({"GET"}), Target.ORCHESTRATOR),
        Entry("/a/{id}/d", frozenset({"GET"}), Target.PORTAL),
    )
    found = Allowlist(entries).find("/a/b/d")
    assert found is entries[1]


def test_every_entry_is_found_under_its_own_template():
    for entry in SHIPPED.entries:
        path = "/".join("x1" if part.startswith("{") else part for part in entry.path.split("/"))
        assert SHIPPED.find(path) is entry, entry.path


def test_only_signing_in_goes_without_a_caller():
    without = {entry.path for entry in SHIPPED.entries if not entry.needs_caller}
    assert without
    assert all(path.startswith("/api/v1/auth/") for path in without)
