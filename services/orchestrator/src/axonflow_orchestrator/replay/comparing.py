"""Two verdicts on one input side by side: what matched then and now, and what became of each policy."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from axonflow_audit import AuditRow, MatchedPolicy
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_governance.rows import matched_policy
from axonflow_policy import Evaluation, Match, PolicySet

MOST_SHOWN = 200  # matches of one side; a verdict hangs on the first


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that matched, and where; never what."""

    policy_id: str
    name: str
    action: str
    origin: str
    path: str
    role: str
    span_count: int


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict and what it came from.

    Attributes:
        match_count: of all; ``matches`` are the first `MOST_SHOWN`.
    """

    verdict: str
    reason: str
    policy_set_hash: str
    matches: tuple[Matched, ...]
    match_count: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one policy.

    Attributes:
        then: its action in the record, None where it did not match.
        now: its action in the replay, None where it does not match.
        why: for people.
    """

    policy_id: str
    then: str | None
    now: str | None
    why: str


def recorded_side(row: AuditRow) -> Side:
    """What the record tells."""
    return Side(
        verdict=row.verdict,
        reason=row.reason or "",
        policy_set_hash=row.policy_set_hash or "",
        matches=tuple(_matched(match) for match in row.matched_policies[:MOST_SHOWN]),
        match_count=len(row.matched_policies),
    )


def replayed_side(evaluation: Evaluation, verdict: Verdict, phase: Phase) -> Side:
    """What came out now."""
    matches = [_matched(matched_policy(match, phase)) for match in evaluation.matches[:MOST_SHOWN]]
    return Side(
        verdict=verdict.value,
        reason=evaluation.reason,
        policy_set_hash=evaluation.policy_set_hash,
        matches=tuple(matches),
        match_count=len(evaluation.matches),
    )


def changes_between(row: AuditRow, evaluation: Evaluation, judged_by: PolicySet, phase: Phase) -> tuple[Change, ...]:
    """The policies whose outcome differs, those of the record first."""
    then, now = _actions(row.matched_policies), _actions(evaluation.matches)
    found = []
    for policy_id in dict.fromkeys((*then, *now)):
        before, after = then.get(policy_id), now.get(policy_id)
        if before != after:
            why = _why(policy_id, before, after, judged_by, phase)
            found.append(Change(policy_id=policy_id, then=before and before[0], now=after and after[0], why=why))
    return tuple(found)


_Acted = tuple[str, str]


def _actions(matches: Iterable[MatchedPolicy | Match]) -> dict[str, _Acted]:
    """The action of each policy and its origin; all its matches have the same."""
    return {match.policy_id: (str(match.action), match.origin) for match in matches}


def _why(policy_id: str, before: _Acted | None, after: _Acted | None, judged_by: PolicySet, phase: Phase) -> str:
    if before is not None and after is not None:
        if before[0] != after[0]:
            return f"acts by {after[1]} and not by {before[1]}"
        return f"the same action, by {after[1]} and not by {before[1]}"
    if before is None:
        return "matches now and did not then"
    effective = judged_by.action_of(policy_id, phase)
    if effective is None:
        return "is not in the set any more"
    if effective.action is None:
        return f"is not judged any more ({effective.origin})"
    return "is judged and does not match any more"


def _matched(match: MatchedPolicy) -> Matched:
    return Matched(
        policy_id=match.policy_id,
        name=match.name,
        action=match.action,
        origin=match.origin,
        path=match.path,
        role=match.role,
        span_count=match.span_count,
    )
