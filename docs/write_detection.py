"""Writes ``docs/detection.md`` from the case files of the policy tests; ``--check`` only says whether it is right."""

from __future__ import annotations

import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase
from axonflow_policy import Content, Policy, PolicySet, catalogue

PAGE = Path(__file__).with_name("detection.md")
TESTS = Path(__file__).parents[1] / "tests" / "unit" / "policy"
_SHOWN = 110

_HEAD = """# What the policies find, and what they do not

This page is written by `make docs` from the case files of the policy tests (`tests/unit/policy/cases`) and from the
list of what is known to go wrong (`tests/unit/policy/known_failures.toml`); a test keeps it true. Each text is judged
by the compiled catalogue.

*Positives* are texts that a policy should find. *Negatives* are texts that look like one and should be left alone, and
the ordinary prompts and code of `ordinary.txt`, which are shown to every policy that judges requests. Precision is the
share of right findings among all findings, recall the share of positives that are found.

**The texts were written by those who wrote the policies.** The figures say where the borders are, not how often they
are crossed in other people's traffic.
"""


@dataclass(slots=True)
class Tally:
    """Counts of one category."""

    policies: int = 0
    found: int = 0
    missed: list[tuple[str, str]] = field(default_factory=list)
    negatives: int = 0
    alarms: list[tuple[str, str]] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Right findings among all findings."""
        return self.found / (self.found + len(self.alarms))

    @property
    def recall(self) -> float:
        """Positives that are found, among all positives."""
        return self.found / (self.found + len(self.missed))


def main() -> int:
    """0 when the page is right (or was written), 1 when ``--check`` finds it stale."""
    text = render(PolicySet.compile(catalogue(), Posture()))
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.exists() and PAGE.read_text("utf-8") == text else 1
    PAGE.write_text(text, "utf-8")
    return 0


def render(policy_set: PolicySet) -> str:
    """The page, as the compiled catalogue judges the case files."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    known = _read("known_failures.toml")
    for policy in catalogue():
        cases = _read(f"cases/{policy.category}.toml")[policy.id]
        failures = known.get(policy.id, {})
        positives = [case["text"] for case in cases["finds"]] + failures.get("misses", [])
        negatives = cases["passes"] + failures.get("alarms", [])
        _count(tallies[policy.category], policy_set, policy, positives, negatives)
    _count_ordinary(tallies, policy_set)
    return (
        _HEAD
        + _table(tallies)
        + _failures("Known misses", {name: tally.missed for name, tally in tallies.items()})
        + (_failures("Known false alarms", {name: tally.alarms for name, tally in tallies.items()}))
    )


def _read(name: str) -> dict[str, dict[str, list[Any]]]:
    content: dict[str, dict[str, list[Any]]] = tomllib.loads((TESTS / name).read_text("utf-8"))
    return content


def _ids(policy_set: PolicySet, text: str, phase: Phase) -> list[str]:
    return [match.policy_id for match in policy_set.evaluate(Content.of(text), phase).matches]


def _count(tally: Tally, policy_set: PolicySet, policy: Policy, positives: list[str], negatives: list[str]) -> None:
    phase = Phase.REQUEST if policy.phases.covers(Phase.REQUEST) else Phase.RESPONSE
    tally.policies += 1
    tally.negatives += len(negatives)
    for text in positives:
        if policy.id in _ids(policy_set, text, phase):
            tally.found += 1
        else:
            tally.missed.append((policy.id, text))
    tally.alarms += [(policy.id, text) for text in negatives if policy.id in _ids(policy_set, text, phase)]


def _count_ordinary(tallies: dict[str, Tally], policy_set: PolicySet) -> None:
    categories = {policy.id: policy.category for policy in catalogue()}
    lines = (TESTS / "cases" / "ordinary.txt").read_text("utf-8").splitlines()
    for policy in catalogue():
        if policy.phases.covers(Phase.REQUEST):
            tallies[policy.category].negatives += len(lines)
    for line in lines:
        for policy_id in _ids(policy_set, line, Phase.REQUEST):
            tallies[categories[policy_id]].alarms.append((policy_id, line))


def _table(tallies: dict[str, Tally]) -> str:
    rows = [
        "",
        "| category | policies | positives | negatives | precision | recall | missed | false alarms |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    rows += [
        f"| `{name}` | {tally.policies} | {tally.found + len(tally.missed)} | {tally.negatives} | {tally.precision:.3f}"
        f" | {tally.recall:.3f} | {len(tally.missed)} | {len(tally.alarms)} |"
        for name, tally in tallies.items()
    ]
    return "\n".join(rows) + "\n"


def _failures(title: str, failures: dict[str, list[tuple[str, str]]]) -> str:
    rows = ["", f"## {title}", "", "| policy | text |", "| --- | --- |"]
    rows += [f"| `{policy_id}` | `{_shown(text)}` |" for found in failures.values() for policy_id, text in found]
    return "\n".join(rows) + "\n"


def _shown(text: str) -> str:
    line = text.replace("\n", " ⏎ ").replace("|", "\\|").replace("`", "'")
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


if __name__ == "__main__":
    sys.exit(main())
