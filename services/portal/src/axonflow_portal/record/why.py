"""One decision in plain words: its sentence, where policies matched, what would have turned it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from axonflow_contracts.verdicts import Action, Verdict

from axonflow_portal.pages.words import ACTION_NAMES
from axonflow_portal.record import words
from axonflow_portal.record.timeline import Moment, moments_of
from axonflow_portal.record.wire import Change, Correlation, Entry, Explanation, MatchedRule, PolicyMatch
from axonflow_portal.troubles import Trouble

_DECIDING = {
    Verdict.BLOCKED: Action.BLOCK,
    Verdict.NEEDS_APPROVAL: Action.REQUIRE_APPROVAL,
    Verdict.REDACTED: Action.REDACT,
}
_OUTCOMES = {
    Verdict.BLOCKED: "This call was refused",
    Verdict.NEEDS_APPROVAL: "This call was held back until a person approves",
    Verdict.REDACTED: "This call went on with text masked",
    Verdict.ALLOWED: "This call went on unchanged",
    Verdict.ERROR: "This call ended in an error",
}
_KINDS = {"policy": "Policy", "override": "Override", "variable": "Variable"}


@dataclass(frozen=True, slots=True)
class Found:
    """A policy that matched, and the parts of the call it matched in."""

    policy: PolicyMatch
    rules: tuple[MatchedRule, ...]
    decided: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """One setting that would have turned the decision: what it is, what it was, and what it would have had to be."""

    kind: str
    name: str
    was: str
    needed: str
    policies: tuple[str, ...]
    possible: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """The page of one decision; parts that could not be read are None and have their trouble."""

    told: Explanation
    entry: Entry | None
    trace: Correlation | None
    troubles: tuple[Trouble, ...]
    now: datetime

    @property
    def row(self) -> Entry | None:
        """The row that decided, of the rows that this decision left."""
        same = [
            moment.entry
            for moment in self.moments
            if moment.entry and moment.entry.decision_id == self.told.decision_id
        ]
        decided = [entry for entry in same if entry.verdict == self.told.verdict]
        return next(iter([*decided, *same]), None) or self.entry

    @property
    def moments(self) -> list[Moment]:
        """Every row of the trace."""
        return moments_of(self.trace) if self.trace else []

    @property
    def sentence(self) -> str:
        """What happened and because of what."""
        outcome = _OUTCOMES.get(Verdict(self.told.verdict), "This call was decided")
        deciding = [found.policy for found in self.found if found.decided]
        if self.told.verdict == Verdict.ALLOWED:
            count = len(self.told.policy_matches)
            harmless = "which stops and changes nothing" if count == 1 else "which stop and change nothing"
            because = f"{words.counted(count, 'policy', 'policies')} matched, {harmless}"
            return f"{outcome}: {because if count else 'no policy matched'}."
        if not deciding:
            return f"{outcome}: {self.told.reason.rstrip('.')}."
        names = _listed([policy.policy_name or policy.policy_id for policy in deciding])
        return f"{outcome} because {names} matched."

    @property
    def found(self) -> list[Found]:
        """The policies, those that decided first."""
        deciding = _DECIDING.get(Verdict(self.told.verdict))
        rows = [
            Found(
                policy,
                tuple(rule for rule in self.told.matched_rules if rule.policy_id == policy.policy_id),
                policy.effective_action == deciding,
            )
            for policy in self.told.policy_matches
        ]
        return sorted(rows, key=lambda row: not row.decided)

    @property
    def turns(self) -> list[Turn]:
        """The settings of the smallest change; all of them are needed together."""
        return [_turn(change) for change in self.told.counterfactual.changes]

    @property
    def turn_intro(self) -> str:
        """What the settings would have led to."""
        would_be = words.verdict_name(self.told.counterfactual.would_be)
        several = " all of these had been" if len(self.turns) > 1 else " this had been"
        return f"The verdict would have been {would_be} if{several} otherwise:"

    @property
    def cost(self) -> str:
        """Of the whole trace's model calls; an estimate from the price table."""
        total = sum(moment.cost_usd for moment in self.moments)
        return words.dollars(total) if total else words.dollars(self.row.cost) if self.row and self.row.cost else ""


def _turn(change: Change) -> Turn:
    new = change.by == "override" and change.name in change.policy_ids
    return Turn(
        kind="New override" if new else _KINDS.get(change.by, change.by),
        name="" if change.name in change.policy_ids else change.name,
        was=ACTION_NAMES.get(change.action, change.action),
        needed=ACTION_NAMES.get(change.needed_action, change.needed_action),
        policies=change.policy_ids,
        possible=change.possible,
        note="" if new else change.note,
    )


def _listed(names: list[str]) -> str:
    """Names as a sentence has them; beyond three, the rest is counted."""
    if len(names) > 3:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
