"""What the commands print: lines for people, or one JSON document; never what a policy found, only where."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase
from axonflow_policy import Evaluation, Match, Policy, effective_action
from axonflow_policy.lint import Finding


class Place(msgspec.Struct, frozen=True):
    """Where a match stands: line and column, both from 1, and how many characters it has."""

    line: int
    column: int
    length: int


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that matched."""

    policy_id: str
    action: str
    origin: str
    severity: str
    reason: str
    places: tuple[Place, ...]


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one text."""

    name: str
    verdict: str
    reason: str
    policy_set_hash: str
    hits: tuple[Hit, ...]


def scan_of(name: str, text: str, evaluation: Evaluation) -> Scan:
    """An evaluation as it is reported."""
    starts = [0, *(index + 1 for index, character in enumerate(text) if character == "\n")]
    return Scan(
        name=name,
        verdict=evaluation.verdict.value,
        reason=evaluation.reason,
        policy_set_hash=evaluation.policy_set_hash,
        hits=tuple(_hit(match, starts) for match in evaluation.matches),
    )


def _hit(match: Match, starts: Sequence[int]) -> Hit:
    return Hit(
        policy_id=match.policy_id,
        action=match.action.value,
        origin=match.origin,
        severity=match.severity.value,
        reason=match.reason,
        places=tuple(_place(start, end, starts) for start, end in match.spans),
    )


def _place(start: int, end: int, starts: Sequence[int]) -> Place:
    line = bisect.bisect_right(starts, start)
    return Place(line, start - starts[line - 1] + 1, end - start)


def scan_lines(scan: Scan) -> list[str]:
    """A scan for people, one line a place, in the form that editors and CI logs make clickable."""
    head = f"{scan.name}: {scan.verdict}" + (f" ({scan.reason})" if scan.reason else "")
    lines = [head]
    for hit in scan.hits:
        told = f"{hit.action:<16} {hit.policy_id}  {hit.reason}"
        lines += [f"{scan.name}:{place.line}:{place.column}: {told}" for place in hit.places] or [f"  {told}"]
    return lines


def explanation(policy: Policy, posture: Posture) -> dict[str, Any]:
    """What a policy is for and what it does under ``posture``."""
    actions = {}
    for phase in Phase:
        action, origin = effective_action(policy, phase, posture)
        actions[phase.value] = {"action": action.value if action else None, "origin": origin if action else ""}
    return {
        "policy_id": policy.id,
        "name": policy.name,
        "category": policy.category,
        "tier": policy.tier.value,
        "severity": policy.severity.value,
        "priority": policy.priority,
        "enabled": policy.enabled,
        "reason": policy.reason,
        "description": policy.description,
        "validator": policy.validator or "",
        "pattern": policy.pattern,
        "actions": actions,
    }


def explanation_lines(told: dict[str, Any]) -> list[str]:
    """An explanation for people."""
    lines = [f"{told['policy_id']}: {told['name']}", f"  {told['description']}"]
    for phase, what in told["actions"].items():
        action = what["action"] or "not judged"
        lines.append(f"  on a {phase}: {action}" + (f" ({what['origin']})" if what["origin"] else ""))
    facts = ("category", "tier", "severity", "priority", "enabled", "reason", "validator", "pattern")
    return [*lines, *(f"  {name}: {told[name]}" for name in facts)]


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """Lint findings for people."""
    return [f"{finding.policy_id}: {finding.problem}: {finding.message}" for finding in findings]
