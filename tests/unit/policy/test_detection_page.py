"""The page about detection quality is what its script writes, and what it calls a failure is still one."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path

import pytest
from axonflow_contracts.verdicts import Phase
from axonflow_policy import Content, PolicySet, catalogue

ROOT = Path(__file__).parents[3]
KNOWN = tomllib.loads((Path(__file__).parent / "known_failures.toml").read_text("utf-8"))
ROWS = {policy.id: policy for policy in catalogue()}
FAILURES = [
    pytest.param(policy_id, text, kind == "alarms", id=f"{policy_id}-{kind}-{number}")
    for policy_id, kinds in KNOWN.items()
    for kind, texts in kinds.items()
    for number, text in enumerate(texts)
]


def test_the_page_is_what_the_script_writes(catalogue_set: PolicySet) -> None:
    render = runpy.run_path(str(ROOT / "docs" / "write_detection.py"))["render"]
    assert (ROOT / "docs" / "detection.md").read_text("utf-8") == render(catalogue_set), "run make docs"


@pytest.mark.parametrize(("policy_id", "text", "fires"), FAILURES)
def test_a_known_failure_still_fails_or_moves_to_the_case_files(
    catalogue_set: PolicySet, policy_id: str, text: str, fires: bool
) -> None:
    phase = Phase.REQUEST if ROWS[policy_id].phases.covers(Phase.REQUEST) else Phase.RESPONSE
    matches = catalogue_set.evaluate(Content.of(text), phase).matches
    assert (policy_id in {match.policy_id for match in matches}) is fires
