"""The smallest change that would have turned a decision, from what its row kept. Pure: no I/O, no text of the call."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

import msgspec
from axonflow_audit import AuditRow, MatchedPolicy
from axonflow_contracts.posture import Lever
from axonflow_contracts.verdicts import Action, Severity, Tier, Verdict
from axonflow_policy import catalogue
from axonflow_policy.actions import LEVER_VARIABLES
from axonflow_settings import Edition

# The action that makes each verdict.
_DECIDING = {
    Verdict.BLOCKED.value: Action.BLOCK,
    Verdict.NEEDS_APPROVAL.value: Action.REQUIRE_APPROVAL,
    Verdict.REDACTED.value: Action.REDACT,
}
_VERDICTS = {
    Action.BLOCK: Verdict.BLOCKED,
    Action.REQUIRE_APPROVAL: Verdict.NEEDS_APPROVAL,
    Action.REDACT: Verdict.REDACTED,
}
_HARMLESS = Action.WARN
_WEAKER_THAN_LEVERS = {"profile": "AXONFLOW_PROFILE", "enforce": "AXONFLOW_ENFORCE"}
REPORT = "audit_llm_call"  # of a call that was made: policies mask what is kept of it, and decide nothing
_NOT_BY_POLICY = "No policy decided this: "
_REPORTED = "A call that was made already: whatever a policy finds in its report is masked, and nothing is stopped"
_NOTHING_MATCHED = "No policy matched: only another policy, or another text, would have changed the decision"


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that an operator or a policy's owner could have set otherwise.

    Attributes:
        by: ``override``, ``variable`` or ``policy``.
        name: the override's id, the variable, or the policy's id.
        policy_ids: the policies that it moves.
        possible: False where no setting may do it; ``note`` says why.
    """

    by: str
    name: str
    policy_ids: tuple[str, ...]
    action: Action
    needed_action: Action
    possible: bool = True
    note: str = ""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """Text without which the decision would have been another: where it stands, never what it says."""

    path: str
    role: str
    span_count: int


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """What it would have taken.

    Attributes:
        would_be: the verdict after ``changes``, all of them.
        changes: settings, the narrowest that suffices for each deciding policy.
        without: the other way: the text that would have had to be absent, for the same outcome.
        note: why there is no change to name.
    """

    decision: str
    would_be: str
    changes: tuple[Change, ...] = ()
    without: tuple[Passage, ...] = ()
    note: str = ""


def smallest_flip(row: AuditRow, edition: Edition) -> Flip:
    """The smallest change that would have given another verdict.

    Every policy that asked for the deciding action must change, since any one of them decides alike; those that ask
    for less then decide.
    """
    if row.request_type == REPORT and row.matched_policies:
        return Flip(decision=row.verdict, would_be=row.verdict, note=_REPORTED)
    deciding = _DECIDING.get(row.verdict)
    if deciding is None:
        return _from_allowed(row, edition) if row.verdict == Verdict.ALLOWED.value else _unmoved(row)
    asked = [match for match in row.matched_policies if match.action == deciding.value]
    if not asked:
        return _unmoved(row)
    rest = [match for match in row.matched_policies if match.action != deciding.value]
    return Flip(
        decision=row.verdict,
        would_be=_verdict_of(rest, edition),
        changes=tuple(_changes(asked, deciding, _HARMLESS, edition)),
        without=tuple(Passage(path=each.path, role=each.role, span_count=each.span_count) for each in asked),
    )


def _from_allowed(row: AuditRow, edition: Edition) -> Flip:
    if not row.matched_policies:
        return Flip(decision=row.verdict, would_be=row.verdict, note=_NOTHING_MATCHED)
    nearest = row.matched_policies[0]  # the strongest stands first
    same = [match for match in row.matched_policies if match.policy_id == nearest.policy_id]
    changes = _changes(same, _action(nearest), Action.BLOCK, edition)
    return Flip(decision=row.verdict, would_be=Verdict.BLOCKED.value, changes=tuple(changes))


def _unmoved(row: AuditRow) -> Flip:
    why = row.reason or row.error_message or row.verdict
    return Flip(decision=row.verdict, would_be=row.verdict, note=_NOT_BY_POLICY + why)


def _verdict_of(matches: Iterable[MatchedPolicy], edition: Edition) -> str:
    strongest = max((_action(match) for match in matches), key=lambda action: action.strength, default=Action.LOG)
    if strongest is Action.REQUIRE_APPROVAL and edition is Edition.COMMUNITY:
        return Verdict.ALLOWED.value
    return _VERDICTS.get(strongest, Verdict.ALLOWED).value


def _changes(asked: Iterable[MatchedPolicy], action: Action, needed: Action, edition: Edition) -> list[Change]:
    by_policy = {match.policy_id: match for match in asked}
    found: dict[tuple[str, str], Change] = {}
    for policy_id, match in by_policy.items():
        change = _change(match, action, needed, edition)
        known = found.get((change.by, change.name))
        ids = (policy_id,) if known is None else (*known.policy_ids, policy_id)
        found[change.by, change.name] = msgspec.structs.replace(change, policy_ids=ids)
    return list(found.values())


def _change(match: MatchedPolicy, action: Action, needed: Action, edition: Edition) -> Change:
    """The narrowest setting that moves one policy: its override, its own action, then what holds for all calls."""
    kind, _, name = match.origin.partition(":")
    weakens = needed.strength < action.strength
    made = Change(by="policy", name=match.policy_id, policy_ids=(match.policy_id,), action=action, needed_action=needed)
    if tier_of(match) is not Tier.SYSTEM:
        return made
    if kind == "override":
        return msgspec.structs.replace(made, by="override", name=name, note="the override that acted")
    if edition is Edition.ENTERPRISE and (match.overridable or not weakens):
        return msgspec.structs.replace(made, by="override", note="a new override of this policy")
    if kind == "env":
        return msgspec.structs.replace(made, by="variable", name=name, note="moves every policy of this lever")
    lever = _levers().get(match.policy_id)
    if lever is not None and kind in _WEAKER_THAN_LEVERS:
        # Without the profile or the list, what the policy stores would decide, and that may be the same.
        note = f"comes before {_WEAKER_THAN_LEVERS[kind]}, and moves every policy of this lever"
        return msgspec.structs.replace(made, by="variable", name=LEVER_VARIABLES[lever], note=note)
    note = _why_fixed(match, edition, weakens=weakens, has_lever=lever is not None)
    return msgspec.structs.replace(made, possible=False, note=note)


@functools.cache
def _levers() -> Mapping[str, Lever]:
    return {policy.id: policy.lever for policy in catalogue() if policy.lever is not None}


def _why_fixed(match: MatchedPolicy, edition: Edition, *, weakens: bool, has_lever: bool) -> str:
    moved_by = "only the lever of its category moves it" if has_lever else "no lever moves it"
    if weakens and edition is Edition.ENTERPRISE and match.severity == Severity.CRITICAL.value:
        return f"no override weakens a policy of critical severity; {moved_by}"
    return f"overrides belong to the enterprise edition; {moved_by}"


def tier_of(match: MatchedPolicy) -> Tier:
    """Who owns a policy; rows of versions that did not keep it tell by the id."""
    if match.tier:
        return Tier(match.tier)
    return Tier.SYSTEM if match.policy_id.startswith("sys_") else Tier.TENANT


def _action(match: MatchedPolicy) -> Action:
    return Action(match.action) if match.action in set(Action) else Action.LOG
