"""A tenant's layer over the shared set: the same as one set of all rows, whichever engine judges the layer."""

from __future__ import annotations

import msgspec
import pytest
from axonflow_contracts.posture import Lever, Posture, Profile
from axonflow_contracts.verdicts import Action, Phase, Severity, Tier, Verdict
from axonflow_policy import Content, Policy, PolicyOverride, PolicySet, TenantRules, catalogue
from axonflow_policy.engines import HAS_VECTORSCAN
from axonflow_policy.policy_set import InvalidPolicy
from axonflow_policy.tenant_rules import written_policy
from fuzz import generator

PROJECT = Policy(
    id="tenant_project",
    name="Project names",
    category="pii-us",
    severity=Severity.HIGH,
    priority=70,
    pattern=r"\bproject-[a-z]{4,12}\b",
    reason="A project's name",
    action=Action.REDACT,
    tier=Tier.TENANT,
)
TEXT = Content.of("About project-nightingale: my SSN is 123-45-6789.")


def layers(*policies: Policy) -> list[TenantRules]:
    """The same rules on each engine, and from a dump."""
    compiled = TenantRules.compile(policies)
    loaded = TenantRules.load(policies, compiled.dump())
    return [TenantRules.by_re2(policies), compiled, *([] if loaded is None else [loaded])]


def test_a_layer_judges_beside_the_shared_set_and_leaves_it_alone(catalogue_set: PolicySet) -> None:
    before = catalogue_set.evaluate(TEXT, Phase.REQUEST)
    joined = catalogue_set.joined(TenantRules.compile([PROJECT]))
    found = joined.evaluate(TEXT, Phase.REQUEST)
    assert found.verdict is Verdict.BLOCKED
    assert [match.policy_id for match in found.matches][:2] == ["sys_pii_ssn", "tenant_project"]
    assert catalogue_set.evaluate(TEXT, Phase.REQUEST) == before
    assert joined.hash != catalogue_set.hash
    assert joined.engine == catalogue_set.engine
    assert len(joined.policies) == len(catalogue_set.policies) + 1


def test_the_hash_says_what_is_judged_and_not_by_which_engine() -> None:
    few = [*catalogue()][:4]
    shared = PolicySet.compile(few, Posture())
    joined = {shared.joined(rules).hash for rules in layers(PROJECT)}
    whole = PolicySet.compile([*few, PROJECT], Posture())
    assert joined == {whole.hash}
    other = msgspec.structs.replace(PROJECT, action=Action.LOG)
    assert shared.joined(TenantRules.by_re2([other])).hash not in joined


def test_an_empty_layer_is_the_set_itself(catalogue_set: PolicySet) -> None:
    off = msgspec.structs.replace(PROJECT, enabled=False)
    for rules in (TenantRules.compile([]), TenantRules.compile([off]), TenantRules.by_re2([off])):
        assert rules.policies == ()
        assert rules.is_final
        assert catalogue_set.joined(rules) is catalogue_set


def test_postures_and_overrides_reach_through_the_layers(catalogue_set: PolicySet) -> None:
    dev = Posture(profile=Profile.DEV, global_levers={Lever.PII: Action.WARN})
    view = catalogue_set.joined(TenantRules.by_re2([PROJECT])).with_posture(dev)
    actions = {match.policy_id: match.action for match in view.evaluate(TEXT, Phase.REQUEST).matches}
    assert actions["sys_pii_ssn"] is Action.WARN
    assert actions["tenant_project"] is Action.REDACT, "a lever moves the product's policies alone"
    quiet = view.with_overrides({"sys_pii_ssn": PolicyOverride("1", enabled=False)})
    assert "sys_pii_ssn" not in {match.policy_id for match in quiet.evaluate(TEXT, Phase.REQUEST).matches}
    assert quiet.evaluate(TEXT, Phase.REQUEST).verdict is Verdict.REDACTED


def test_one_id_in_both_layers_is_refused(catalogue_set: PolicySet) -> None:
    twin = msgspec.structs.replace(PROJECT, id="sys_pii_ssn")
    with pytest.raises(InvalidPolicy, match="twice"):
        catalogue_set.joined(TenantRules.by_re2([twin]))


@pytest.mark.skipif(not HAS_VECTORSCAN, reason="Vectorscan has no wheel for this machine")
def test_a_dump_of_other_patterns_does_not_load() -> None:
    other = msgspec.structs.replace(PROJECT, pattern="other")
    dump = TenantRules.compile([other]).dump()
    assert TenantRules.load([PROJECT], dump) is None
    assert TenantRules.load([PROJECT], b"") is None
    renamed = msgspec.structs.replace(other, name="Renamed", action=Action.LOG)
    loaded = TenantRules.load([renamed], dump)
    assert loaded is not None
    assert loaded.policies == (renamed,)
    assert loaded.is_final
    assert not TenantRules.by_re2([renamed]).is_final


def test_a_stored_row_becomes_a_policy_with_its_own_action() -> None:
    row = {**msgspec.to_builtins(PROJECT), "reason": "", "lever": "pii", "xmin": "7"}
    assert written_policy(row) == msgspec.structs.replace(PROJECT, reason="Project names")
    with pytest.raises(InvalidPolicy, match="tenant_project"):
        written_policy({**row, "action": "explode"})


@pytest.mark.parametrize("seed", range(12))
def test_two_layers_find_what_one_set_of_all_rows_finds(seed: int) -> None:
    for case in generator.cases(seed, 6):
        cut = max(1, len(case.rows) // 2)
        base, own = case.rows[:cut], [row for row in case.rows[cut:] if row.enabled]
        if not any(row.enabled for row in base):
            continue
        whole = PolicySet.compile([*base, *own], case.posture).with_overrides(case.overrides)
        shared = PolicySet.compile(base, case.posture)
        for rules in (TenantRules.by_re2(own), TenantRules.compile(own)):
            view = shared.joined(rules).with_overrides(case.overrides)
            assert view.evaluate(case.content, case.phase) == whole.evaluate(case.content, case.phase)
