"""One recorded decision held against a draft: exactly, from its sealed input, or nearly, from what its row tells."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec
from axonflow_audit import AuditRow, MatchedPolicy
from axonflow_contracts.verdicts import Action, Phase, Verdict
from axonflow_governance.inputs import InputSealer, JudgedInput, in_edition
from axonflow_policy import Content, Evaluation, Facts, PolicySet, UserFacts
from axonflow_sealing import CannotOpen, SealingUnavailable

from axonflow_orchestrator.drafts.draft import Draft, Pair, strongest

_VERDICTS = {
    Action.BLOCK: Verdict.BLOCKED,
    Action.REQUIRE_APPROVAL: Verdict.NEEDS_APPROVAL,
    Action.REDACT: Verdict.REDACTED,
}


class Means(StrEnum):
    """What a decision was judged by."""

    SEALED = "sealed"
    RECORD = "record"
    NOTHING = "nothing"


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that would turn.

    Attributes:
        from_: the verdict of the policies in force now; where only the row was there, the recorded one.
        recorded: the verdict that was given.
        policy_id: the policy that makes the difference.
        exact: whether the whole input was judged.
        plane_judges: false where the plane does not judge by what tenants write, so nothing turns as things are.
    """

    decision_id: str
    timestamp: datetime
    client_id: str
    plane: str
    phase: str
    from_: str = msgspec.field(name="from")
    to: str
    recorded: str
    policy_id: str
    exact: bool
    plane_judges: bool


class Held(NamedTuple):
    """What came of one decision."""

    means: Means
    flip: Flip | None


class Bench(NamedTuple):
    """What the decisions of one kind of plane are judged by.

    Attributes:
        scanned: see `draft.scanned_for`.
        judges: whether the plane judges by what tenants write.
    """

    draft: Draft
    pair: Pair
    scanned: PolicySet | None
    judges: bool
    approvals_act: bool


def open_input(sealer: InputSealer, sealed: bytes | None, row: AuditRow) -> JudgedInput | None:
    """The input of a row, or None where it does not open here."""
    if sealed is None:
        return None
    try:
        return sealer.open(sealed, row.org_id, row.id)
    except (CannotOpen, SealingUnavailable):
        return None


def hold(bench: Bench, row: AuditRow, judged: JudgedInput | None) -> Held:
    """One decision against the draft."""
    if row.policy_set_hash is None:
        return Held(Means.NOTHING, None)
    if judged is not None:
        before, after = _exactly(bench, row, judged)
        return Held(Means.SEALED, _flip(bench, row, before, after, exact=True))
    found = _nearly(bench, row)
    if found is None:
        return Held(Means.NOTHING, None)
    return Held(Means.RECORD, _flip(bench, row, *found, exact=False))


_Outcome = tuple[Verdict, str]


def _exactly(bench: Bench, row: AuditRow, judged: JudgedInput) -> tuple[_Outcome, _Outcome]:
    def evaluated(by: PolicySet) -> Evaluation:
        return by.evaluate(judged.content, judged.phase, is_admin=judged.is_admin)

    now, then = evaluated(bench.pair.now), evaluated(bench.pair.then)
    ruled = _ruled(bench, row, "\n".join(part.text for part in judged.content.parts), judged.phase)
    return _outcome(bench, _actions(now), gated=judged.gated), _outcome(
        bench, [*_actions(then), *ruled], gated=judged.gated
    )


def _nearly(bench: Bench, row: AuditRow) -> tuple[_Outcome, _Outcome] | None:
    """From the row: what matched then, under the actions of the draft, and what the draft finds in the excerpt."""
    draft, phase = bench.draft, Phase(row.phase or Phase.REQUEST)
    recorded = [(_action_of(match), match.policy_id) for match in row.matched_policies]
    before = _outcome(bench, recorded, gated=True)
    if before[0] is not Verdict(row.verdict):
        return None  # not by policies alone
    if row.query is None and (bench.scanned is not None or draft.rules is not None):
        return None
    text = row.query or ""
    scanned = bench.scanned
    again = {policy_id for _, policy_id in recorded if policy_id in draft.touched}
    after = [each for each in recorded if each[1] not in draft.touched]
    for policy_id in again - ({row.id for row in scanned.compiled} if scanned else set()):
        effective = bench.pair.then.action_of(policy_id, phase)
        if effective is not None and effective.action is not None:
            after.append((effective.action, policy_id))
    if scanned is not None:
        after += _actions(scanned.evaluate(Content.of(text), phase))
    return before, _outcome(bench, [*after, *_ruled(bench, row, text, phase)], gated=True)


def _action_of(match: MatchedPolicy) -> Action:
    """What a recorded match did; one without a word for it decided nothing."""
    return Action(match.action) if match.action in set(Action) else Action.LOG


def _actions(evaluation: Evaluation) -> list[tuple[Action, str]]:
    return [(match.action, match.policy_id) for match in evaluation.matches]


def _ruled(bench: Bench, row: AuditRow, text: str, phase: Phase) -> list[tuple[Action, str]]:
    if bench.draft.rules is None:
        return []
    user = UserFacts(
        id=row.user_id or "", email=row.user_email or "", role=row.user_role or "", tenant_id=row.tenant_id
    )
    facts = Facts(
        query=text if phase is Phase.REQUEST else "",
        response=text if phase is Phase.RESPONSE else "",
        user=user,
        request_type=row.request_type or "",
        provider=row.provider or "",
        model=row.model or "",
        at=row.created_at,
    )
    found = bench.draft.rules.evaluate(facts, phase)
    return [(match.action, match.policy_id) for match in found.matches if match.action is not None]


def _outcome(bench: Bench, actions: list[tuple[Action, str]], *, gated: bool) -> _Outcome:
    action, policy_id = strongest(actions)
    if not gated:
        return (Verdict.REDACTED if actions else Verdict.ALLOWED), policy_id
    verdict = Verdict.ALLOWED if action is None else _VERDICTS.get(action, Verdict.ALLOWED)
    return in_edition(verdict, approvals_act=bench.approvals_act), policy_id


_STRENGTH = (Verdict.ALLOWED, Verdict.REDACTED, Verdict.NEEDS_APPROVAL, Verdict.BLOCKED)


def _flip(bench: Bench, row: AuditRow, before: _Outcome, after: _Outcome, *, exact: bool) -> Flip | None:
    if before[0] is after[0]:
        return None
    stricter = _STRENGTH.index(after[0]) > _STRENGTH.index(before[0])
    policy_id = after[1] if stricter else before[1]
    # The product's own policies are judged on every plane.
    return Flip(
        decision_id=row.decision_id,
        timestamp=row.created_at,
        client_id=row.client_id,
        plane=row.plane,
        phase=row.phase or "",
        from_=before[0].value,
        to=after[0].value,
        recorded=row.verdict,
        policy_id=policy_id,
        exact=exact,
        plane_judges=bench.judges or policy_id in bench.draft.overrides,
    )
