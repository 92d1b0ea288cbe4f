"""The same policies under the levers of another plane family."""

from __future__ import annotations

import pytest
from axonflow_contracts.posture import Lever, Posture
from axonflow_contracts.verdicts import Action, Phase, Severity
from axonflow_governance import UnderPosture
from axonflow_policy import Policy, PolicySet

GATEWAY = Posture()
MCP = Posture(mode="MCP", mode_levers={Lever.PII: Action.WARN})
POLICY = Policy(
    id="sys_pii_x", name="X", category="pii-us", severity=Severity.HIGH, priority=1, pattern="x", reason="x",
    action=Action.BLOCK, lever=Lever.PII,
)  # fmt: skip


class Sets:
    def __init__(self, current: PolicySet | None) -> None:
        self.current = current

    def for_tenant(self, _org_id: str, _tenant_id: str) -> PolicySet | None:
        return self.current

    async def with_tenant_rules(self, _org_id: str, _tenant_id: str) -> PolicySet | None:
        return self.current


def compiled(posture: Posture = GATEWAY) -> PolicySet:
    return PolicySet.compile([POLICY], posture)


async def test_a_view_acts_by_its_own_levers_and_has_a_hash_of_its_own() -> None:
    base, made = compiled(), []
    under = UnderPosture(Sets(base), MCP, lambda org_id, view: made.append((org_id, view.hash)))
    view = await under.with_tenant_rules("org", "tenant")
    assert view is not None
    effective = view.action_of("sys_pii_x", Phase.REQUEST)
    assert effective is not None
    assert (effective.action, effective.origin) == (Action.WARN, "env:MCP_PII_ACTION")
    assert view.hash != base.hash
    assert made == [("org", view.hash)]
    assert under.for_tenant("org", "other") is view


@pytest.mark.parametrize("current", [None, compiled(MCP)])
def test_where_nothing_differs_there_is_no_view(current: PolicySet | None) -> None:
    assert UnderPosture(Sets(current), MCP, lambda *_: None).for_tenant("org", "tenant") is current


def test_a_set_that_was_swapped_is_seen_anew() -> None:
    sets = Sets(compiled())
    under = UnderPosture(sets, MCP, lambda *_: None)
    first = under.for_tenant("org", "tenant")
    sets.current = compiled()
    second = under.for_tenant("org", "tenant")
    assert first is not second
    assert first is not None
    assert second is not None
    assert first.hash == second.hash
