"""Every family has one envelope, and what leads round the system policies is always signed."""

from __future__ import annotations

import pytest
from axonflow_agent.forward import Target, default_allowlist
from axonflow_contracts.errors import Surface
from axonflow_orchestrator.families import FAMILIES, family_of, is_always_signed, surface_of


@pytest.mark.parametrize(
    ("path", "surface"),
    [
        ("/api/v1/process", Surface.HANDLER),
        ("/api/v1/plan", Surface.HANDLER),
        ("/api/v1/plan/p1/versions", Surface.HANDLER),
        ("/api/v1/plans/approvals/pending", Surface.HANDLER),
        ("/api/v1/plans/estimate", Surface.WORKFLOW),
        ("/api/v1/audit/search", Surface.HANDLER),
        ("/api/v1/decisions", Surface.FLAT),
        ("/api/v1/connectors/c1", Surface.HANDLER),
        ("/api/v1/hitl/queue", Surface.HANDLER),
        ("/api/v1/workflows/w1/steps/s1/gate", Surface.WORKFLOW),
        ("/api/v1/policies", Surface.NESTED),
        ("/api/v1/policies/simulate", Surface.WORKFLOW),
        ("/api/v1/unified/executions/e1", Surface.NESTED),
        ("/api/v1/masfeat/registry", Surface.FLAT),
        ("/elsewhere", Surface.NESTED),
        ("/", Surface.NESTED),
    ],
)
def test_a_path_has_the_envelope_of_its_family(path: str, surface: Surface):
    assert surface_of(path) is surface


@pytest.mark.parametrize("path", ["/api/v1/planx", "/api/v1/planet/earth", "/api/v1", "/api", "", "/api/v2/plan"])
def test_a_family_is_whole_segments(path: str):
    assert family_of(path) is None


def test_whatever_the_agent_forwards_belongs_to_a_family():
    forwarded = [entry.path for entry in default_allowlist().entries if entry.target is Target.ORCHESTRATOR]
    assert [path for path in forwarded if family_of(path) is None] == []


def test_the_agent_forwards_something_of_each_family_but_those_of_its_own_use():
    forwarded = {family_of(entry.path) for entry in default_allowlist().entries if entry.target is Target.ORCHESTRATOR}
    own_use = {"/api/v1/providers", "/api/v1/metrics"}
    signed = {family for family in FAMILIES if is_always_signed(family)}
    assert set(FAMILIES) - forwarded == own_use | signed


@pytest.mark.parametrize(
    ("path", "signed"),
    [
        ("/api/v1/process", True),
        ("/api/v1/process/again", True),
        ("/api/v1/mcp/evaluate-policies", True),
        ("/mcp/evaluate-policies", True),
        ("/api/v1/plan", False),
    ],
)
def test_governed_work_is_always_signed(path: str, signed: bool):
    assert is_always_signed(path) is signed
