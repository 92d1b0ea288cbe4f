"""What the policy engine takes and gives: policies, content, matches, evaluations. Values only, no behaviour."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec
from axonflow_contracts.posture import Lever
from axonflow_contracts.verdicts import Action, Phase, Severity, Tier, Verdict


class Phases(StrEnum):
    """The sides of a call that a policy judges; outside them it has no action, whatever a lever says."""

    REQUEST = "request"
    RESPONSE = "response"
    BOTH = "both"

    def covers(self, phase: Phase) -> bool:
        """Whether a policy with this value judges ``phase``."""
        return self is Phases.BOTH or self.value == phase.value


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the catalogue, or one that a tenant wrote.

    Attributes:
        id: stable id, unique in a set.
        name: short name for lists.
        category: one of the contract's categories, such as ``security-sqli``.
        tier: who owns the row.
        severity: how bad a match is, for people; it does not decide.
        priority: 0 to 1000; of equally strong matches the higher decides.
        pattern: RE2 syntax without captures but for one: the first group that holds anything is the span, else the
            whole match.
        validator: name of the function in ``axonflow_policy.validators`` that confirms a match, or None.
        reason: one phrase for people, told in denials.
        description: what the row is meant to find.
        phases: the sides of a call it judges.
        action: stored action, used where the phase has none of its own.
        action_request: stored action for the request side.
        action_response: stored action for the response side.
        lever: the operator's lever that moves this row, if any.
        enabled: a row that is off is neither compiled nor judged.
        risk_weight: 0 to 1, the row's share in a risk score.
    """

    id: str
    name: str
    category: str
    severity: Severity
    priority: int
    pattern: str
    reason: str
    action: Action
    tier: Tier = Tier.SYSTEM
    validator: str | None = None
    description: str = ""
    phases: Phases = Phases.BOTH
    action_request: Action | None = None
    action_response: Action | None = None
    lever: Lever | None = None
    enabled: bool = True
    risk_weight: float = 0.5


class Part(msgspec.Struct, frozen=True):
    """One text to judge.

    Attributes:
        path: where it stands in the body, such as ``messages[0].content``.
        text: the text as the provider will read it.
        structured: whether ``text`` is itself JSON (tool-call arguments), which redaction must keep valid.
        role: whose words they are where the protocol says so, such as ``system``, ``user`` or ``tool``; it judges
            nothing.
    """

    path: str
    text: str
    structured: bool = False
    role: str = ""


class Content(msgspec.Struct, frozen=True):
    """Every text of one side of a call; each part is judged alone."""

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, text: str, path: str = "text") -> Content:
        """Content of a single text."""
        return cls((Part(path, text),))


class EffectiveAction(NamedTuple):
    """What a policy does in one phase under one posture, and where that comes from.

    ``action`` is None where the policy is not judged. ``origin`` is ``stored``, ``profile:<name>``,
    ``enforce:<lever>`` or ``env:<VARIABLE>``.
    """

    action: Action | None
    origin: str


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that matched one part.

    ``spans`` are half-open character ranges in the part's original text, in order and without overlap: all of them
    where they may be masked, the first few where the match alone matters (statements, commands). ``role`` is the
    part's.
    """

    policy_id: str
    name: str
    category: str
    severity: Severity
    priority: int
    action: Action
    origin: str
    reason: str
    path: str
    spans: tuple[tuple[int, int], ...]
    role: str = ""
    tier: Tier = Tier.SYSTEM
    risk_weight: float = 0.5


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of judging one side of a call.

    Attributes:
        verdict: what follows from the strongest match.
        matches: every match, the deciding one first, then by strength, priority and id.
        reason: the deciding match's reason when the verdict is not ``allowed``, else empty.
        policy_set_hash: hash of the set that judged.
        failure: empty, or the kind of engine failure that made this a block; for logs, not for callers.
    """

    verdict: Verdict
    matches: tuple[Match, ...]
    reason: str
    policy_set_hash: str
    failure: str = ""
