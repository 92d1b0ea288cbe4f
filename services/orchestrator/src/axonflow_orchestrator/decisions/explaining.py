"""Why one decision was made: the matches of its row by role, where each action came from, and what would turn it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from axonflow_audit import AuditRow, MatchedPolicy, pages
from axonflow_audit.chains import anchored
from axonflow_audit.filters import RecordFilter
from axonflow_audit.policy_facts import PolicyFacts, acting_overrides, read_facts
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Tier, Verdict
from axonflow_database import Connection, Database
from axonflow_settings import Edition

from axonflow_orchestrator.audit.entries import risk_level
from axonflow_orchestrator.callers import Readable, reading
from axonflow_orchestrator.decisions.flipping import Flip, smallest_flip, tier_of
from axonflow_orchestrator.decisions.listing import context_of, decision_word, tool_of
from axonflow_orchestrator.replay.replayable import NotReplayable, why_not
from axonflow_orchestrator.replay.store import input_state

SESSION = timedelta(hours=24)
MOST_HITS = 10_000
MOST_PHASES = 20
CONTEXT_IN_EXPLANATIONS = 10
NOT_FOUND = "Decision not found"
# Of several sides of one call, the one that stopped it is explained.
_STRENGTH = (Verdict.BLOCKED, Verdict.NEEDS_APPROVAL, Verdict.ERROR, Verdict.REDACTED, Verdict.ALLOWED)


class PolicyMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that matched; the contract's keys first."""

    policy_id: str
    policy_name: str
    action: str
    risk_level: str
    allow_override: bool
    policy_description: str
    effective_action: str
    action_origin: str
    tier: str
    category: str
    policy_version: int | None
    rule_path: str


class MatchedRule(msgspec.Struct, frozen=True, kw_only=True):
    """Where a policy matched; offsets count characters of the part's text, which is not shown."""

    policy_id: str
    rule_id: str
    rule_text: str
    matched_on: str
    role: str
    span_count: int
    spans: tuple[tuple[int, int], ...]


class PhaseOutcome(msgspec.Struct, frozen=True):
    """One judged side of the call."""

    phase: str
    decision: str
    timestamp: datetime


class Explanation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer: the contract's keys, then what more the row tells.

    Attributes:
        chain_length: how many steps are kept of the call; they are read by themselves.
    """

    decision_id: str
    timestamp: datetime
    decision: str
    reason: str
    policy_matches: tuple[PolicyMatch, ...]
    matched_rules: tuple[MatchedRule, ...]
    override_available: bool
    historical_hit_count_session: int
    verdict: str
    plane: str
    spans_by_role: Mapping[str, int]
    counterfactual: Flip
    phases: tuple[PhaseOutcome, ...]
    replayable: bool
    not_replayable: NotReplayable | None = None
    risk_level: str | None = None
    override_existing_id: str | None = None
    policy_source_link: str | None = None
    policy_version_at_decision: int | None = None
    effective_action: str | None = None
    action_origin: str | None = None
    tool_signature: str | None = None
    context: Mapping[str, str] | None = None
    context_truncated: bool = False
    policy_set_hash: str | None = None
    trace_id: str | None = None
    request_type: str | None = None
    chain_id: str | None = None
    chain_length: int = 0


class _Known(msgspec.Struct, frozen=True):
    """What else is known beside the row: facts of its policies, the override that acts now, earlier hits."""

    facts: dict[str, PolicyFacts]
    overrides: dict[str, str]
    hits: int


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains decisions from what was stored of them."""

    database: Database

    async def explain(self, decision_id: str, readable: Readable) -> Explanation:
        """The explanation of one decision.

        Raises:
            Fault: 404, also for a decision of another tenant; 503.
        """
        wanted = RecordFilter(
            org_id=readable.org_id,
            tenant_id=readable.tenant_id,
            since=readable.since,
            decision_id=decision_id,
            governed=True,
        )
        async with reading(self.database, readable.org_id) as connection:
            rows = await pages.read_page(connection, wanted, limit=MOST_PHASES)
            if not rows:
                raise Fault(404, NOT_FOUND)
            row = decided(rows)
            known = await _known(connection, row, readable)
            omitted = await input_state(connection, row)
        return _explanation(row, rows, known, readable.edition, why_not(row, omitted))


def decided(rows: list[AuditRow]) -> AuditRow:
    """The row of a call that stopped it, or else changed it most; ``rows`` are of one decision, newest first."""
    return min(reversed(rows), key=lambda each: _STRENGTH.index(Verdict(each.verdict)))


async def _known(connection: Connection, row: AuditRow, readable: Readable) -> _Known:
    ids = list(dict.fromkeys(match.policy_id for match in row.matched_policies))
    if not ids:
        return _Known({}, {}, 0)
    facts = await read_facts(connection, row.org_id, readable.tenant_id, ids, row.created_at)
    overrides = await acting_overrides(connection, row.org_id, readable.tenant_id, ids[:1])
    session = RecordFilter(
        org_id=row.org_id,
        tenant_id=row.tenant_id,
        since=row.created_at - SESSION,
        until=row.created_at,
        client_id=row.client_id,
        user_id=row.user_id or "",
        policy_id=ids[0],
        governed=True,
    )
    return _Known(facts, overrides, await pages.count_hits(connection, session, most=MOST_HITS))


def _explanation(
    row: AuditRow, rows: list[AuditRow], known: _Known, edition: Edition, missing: NotReplayable | None
) -> Explanation:
    matches = row.matched_policies
    first = matches[0] if matches else None
    context, truncated = context_of(row, CONTEXT_IN_EXPLANATIONS)
    chain = anchored(row)
    return Explanation(
        decision_id=row.decision_id,
        timestamp=row.created_at,
        decision=decision_word(row.verdict),
        reason=_reason(row),
        risk_level=risk_level(matches),
        policy_matches=tuple(_policy(match, known.facts, edition) for match in _distinct(matches)),
        matched_rules=tuple(_rule(match, known.facts) for match in matches),
        override_available=first is not None and _overridable(first, edition),
        override_existing_id=known.overrides.get(first.policy_id) if first else None,
        historical_hit_count_session=known.hits,
        policy_source_link=f"/api/v1/static-policies/{first.policy_id}" if first else None,
        policy_version_at_decision=_version(first, known.facts) if first else None,
        effective_action=first.action if first else None,
        action_origin=first.origin if first else None,
        tool_signature=tool_of(row),
        context=context,
        context_truncated=truncated,
        verdict=row.verdict,
        plane=row.plane,
        spans_by_role=_spans_by_role(matches),
        counterfactual=smallest_flip(row, edition),
        phases=tuple(
            PhaseOutcome(each.phase or "", decision_word(each.verdict), each.created_at) for each in rows[::-1]
        ),
        policy_set_hash=row.policy_set_hash,
        trace_id=row.trace_id,
        request_type=row.request_type,
        chain_id=chain.id if chain else None,
        chain_length=chain.steps if chain else 0,
        replayable=missing is None,
        not_replayable=missing,
    )


def _reason(row: AuditRow) -> str:
    if row.reason and row.error_message:
        return f"{row.reason}: {row.error_message}"
    return row.reason or row.error_message or ("No policy matched" if not row.matched_policies else "Allowed")


def _distinct(matches: tuple[MatchedPolicy, ...]) -> list[MatchedPolicy]:
    seen: dict[str, MatchedPolicy] = {}
    for match in matches:
        seen.setdefault(match.policy_id, match)
    return list(seen.values())


def _policy(match: MatchedPolicy, facts: Mapping[str, PolicyFacts], edition: Edition) -> PolicyMatch:
    fact = facts.get(match.policy_id)
    return PolicyMatch(
        policy_id=match.policy_id,
        policy_name=match.name or (fact.name if fact else ""),
        action=match.action,
        risk_level=match.severity,
        allow_override=_overridable(match, edition),
        policy_description=(fact.description if fact else "") or match.reason,
        effective_action=match.action,
        action_origin=match.origin,
        tier=tier_of(match).value,
        category=match.category,
        policy_version=_version(match, facts),
        rule_path=f"{tier_of(match)}/{match.category}/{match.policy_id}",
    )


def _rule(match: MatchedPolicy, facts: Mapping[str, PolicyFacts]) -> MatchedRule:
    fact = facts.get(match.policy_id)
    return MatchedRule(
        policy_id=match.policy_id,
        rule_id=f"{tier_of(match)}/{match.category}/{match.policy_id}",
        rule_text=match.reason or (fact.description if fact else ""),
        matched_on=match.path,
        role=match.role,
        span_count=match.span_count,
        spans=match.spans,
    )


def _spans_by_role(matches: tuple[MatchedPolicy, ...]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for match in matches:
        role = match.role or "unknown"
        counts[role] = counts.get(role, 0) + match.span_count
    return counts


def _overridable(match: MatchedPolicy, edition: Edition) -> bool:
    return edition is Edition.ENTERPRISE and match.overridable and tier_of(match) is Tier.SYSTEM


def _version(match: MatchedPolicy, facts: Mapping[str, PolicyFacts]) -> int | None:
    fact = facts.get(match.policy_id)
    return fact.version if fact else None
