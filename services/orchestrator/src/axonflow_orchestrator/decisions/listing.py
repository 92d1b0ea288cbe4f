"""The list of decisions, short rows under an edition's caps (agent contract section 1.15, orchestrator section 0.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from axonflow_audit import AuditRow, pages
from axonflow_audit.filters import Position, RecordFilter
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import WIRE_WORDS, Verdict, Wire
from axonflow_database import Database
from axonflow_settings import Edition, Limits

from axonflow_orchestrator.audit.queries import later
from axonflow_orchestrator.callers import Readable, reading
from axonflow_orchestrator.questions import cursor_of, moment, position_of, text, verdicts, whole_number

DEFAULT_ROWS = 100
LARGEST_LIMIT = 1_000_000
CONTEXT_IN_LISTS = 5
_SLACK = timedelta(minutes=1)  # a caller that subtracts the whole look-back means exactly that
_NEXT = {Edition.COMMUNITY: Edition.EVALUATION, Edition.EVALUATION: Edition.ENTERPRISE}


class DecisionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Query parameters."""

    since: str | None = None
    decision: str | None = None
    policy_id: str | None = None
    tool_signature: str | None = None
    limit: int | None = None
    cursor: str | None = None


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision."""

    decision_id: str
    timestamp: datetime
    decision: str
    policy_id: str | None = None
    tool_signature: str | None = None
    context: Mapping[str, str] | None = None
    context_truncated: bool = False


class DecisionList(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of decisions, newest first."""

    decisions: tuple[DecisionRow, ...]
    count: int
    has_more: bool
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionLister:
    """Lists the decisions that a caller's edition shows."""

    database: Database
    limits: Limits

    async def page(self, asked: DecisionQuery, readable: Readable) -> DecisionList:
        """One page.

        Raises:
            Fault: 400 for a parameter, 429 beyond the edition's caps, 503.
        """
        limit = self._rows(asked.limit, readable.edition)
        wanted = self._wanted(asked, readable)
        after = position_of(asked.cursor) if asked.cursor else None
        async with reading(self.database, readable.org_id) as connection:
            rows = await pages.read_page(connection, wanted, limit=limit + 1, after=after)
        shown = rows[:limit]
        # An edition that shows so many rows shows no further page of them.
        has_more = len(rows) > limit and self.limits.decisions_list_rows < 0
        return DecisionList(
            decisions=tuple(_short(row) for row in shown),
            count=len(shown),
            has_more=len(rows) > limit,
            next_cursor=cursor_of(Position(shown[-1].created_at, shown[-1].id)) if has_more else None,
        )

    def _rows(self, asked: int | None, edition: Edition) -> int:
        cap = self.limits.decisions_list_rows
        if cap < 0:
            return whole_number(asked, "limit", least=1, most=1000, default=DEFAULT_ROWS)
        limit = whole_number(asked, "limit", least=1, most=LARGEST_LIMIT, default=min(DEFAULT_ROWS, cap))
        if limit > cap:
            raise beyond(edition, "decisions_list_rows", cap, f"This edition lists {cap} decisions at most")
        return limit

    def _wanted(self, asked: DecisionQuery, readable: Readable) -> RecordFilter:
        since = moment(asked.since, "since")
        hours = self.limits.decisions_lookback_hours
        if hours >= 0:
            earliest = datetime.now(UTC) - timedelta(hours=hours)
            if since is not None and since < earliest - _SLACK:
                message = f"This edition looks back {hours} hours at most"
                raise beyond(readable.edition, "decisions_lookback_hours", hours, message)
            since = later(since, earliest)
        return RecordFilter(
            org_id=readable.org_id,
            tenant_id=readable.tenant_id,
            since=later(since, readable.since),
            verdicts=verdicts(asked.decision, Wire.DECISION_LIST, "decision"),
            policy_id=text(asked.policy_id, "policy_id"),
            tool_signature=text(asked.tool_signature, "tool_signature"),
            governed=True,
        )


def beyond(edition: Edition, limit_type: str, limit: int, message: str) -> Fault:
    """A refusal that names the cap and the edition with a higher one (agent contract section 7.4)."""
    higher = _NEXT.get(edition, Edition.ENTERPRISE)
    details: dict[str, Any] = {
        "message": message,
        "limit_type": limit_type,
        "tier": edition.value,
        "limit": limit,
        "remaining": 0,
        "upgrade": {
            "tier": higher.value,
            "wording": f"The {higher} edition shows more: set AXONFLOW_TIER, or AXONFLOW_LIMIT_{limit_type.upper()}",
            "compare_url": "",
            "buy_url": "",
        },
    }
    return Fault(429, message, details=details, headers={"X-Axonflow-Tier-Limit": f"{limit_type}={limit}"})


def decision_word(verdict: str) -> str:
    """A stored verdict in the words of this list."""
    return WIRE_WORDS[Wire.DECISION_LIST][Verdict(verdict)]


def context_of(row: AuditRow, most: int) -> tuple[dict[str, str] | None, bool]:
    """The context kept with a row, as far as it is shown, and whether there was more."""
    kept = row.metadata.get("context")
    if not isinstance(kept, Mapping) or not kept:
        return None, False
    members = [(str(name), str(value)) for name, value in kept.items()]
    return dict(members[:most]), len(members) > most


def tool_of(row: AuditRow) -> str | None:
    """The tool that a row names, or that a decision's target does."""
    target = row.metadata.get("target")
    signature = row.metadata.get("tool_signature") or (target.get("tool") if isinstance(target, Mapping) else None)
    return signature if isinstance(signature, str) and signature else None


def _short(row: AuditRow) -> DecisionRow:
    context, truncated = context_of(row, CONTEXT_IN_LISTS)
    return DecisionRow(
        decision_id=row.decision_id,
        timestamp=row.created_at,
        decision=decision_word(row.verdict),
        policy_id=row.matched_policies[0].policy_id if row.matched_policies else None,
        tool_signature=tool_of(row),
        context=context,
        context_truncated=truncated,
    )
