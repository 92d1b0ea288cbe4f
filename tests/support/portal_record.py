"""What the orchestrator and the agent answer about the record, made up for the portal's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from axonflow_portal.record.wire import (
    Change,
    Circuits,
    Correlation,
    Entry,
    EntryList,
    Explanation,
    Flip,
    Gap,
    GapReport,
    GapTotals,
    MatchedPolicy,
    MatchedRule,
    Passage,
    PolicyCount,
    PolicyDetails,
    PolicyMatch,
    Replay,
    ReplayChange,
    ReplaySide,
    Step,
    Summary,
    TracedRow,
)

NOW = datetime(2026, 3, 4, 9, 5, 1, tzinfo=UTC)
HOSTILE = '</code><script>alert(1)</script>"><img src=x>'
DECISION = "7d261356-941b-4ab7-992f-e2c2d4d4bd1a"
TRACE = "397c98c43e1a534462ee39b26672615e"


def entry(**fields: Any) -> Entry:
    """A refused completion of a minute ago; keywords replace fields."""
    ssn = MatchedPolicy(policy_id="sys_pii_ssn", name="SSN Detection", action="block")
    return Entry(
        **{
            "id": DECISION,
            "decision_id": DECISION,
            "timestamp": NOW - timedelta(minutes=1),
            "verdict": "blocked",
            "plane": "openai_compat",
            "phase": "request",
            "client_id": "teller-app",
            "query": "My SSN is XXX-XX-6789.",
            "policy_details": PolicyDetails(policies=(ssn,)),
            **fields,
        }
    )


def entries(*rows: Entry, **fields: Any) -> EntryList:
    """A page of a list."""
    return EntryList(**{"entries": rows, "total": len(rows), "retention_days": 3650, **fields})


def explanation(**fields: Any) -> Explanation:
    """Why the refused completion was refused."""
    flip = Flip(
        decision="blocked",
        would_be="allowed",
        changes=(
            Change(by="variable", name="PII_ACTION", policy_ids=("sys_pii_ssn",), action="block", needed_action="warn",
                   note="moves every policy of this lever"),
        ),
        without=(Passage(path="messages[0].content", role="user", span_count=1),),
    )  # fmt: skip
    match = PolicyMatch(
        policy_id="sys_pii_ssn", policy_name="SSN Detection", risk_level="critical", effective_action="block",
        action_origin="env:PII_ACTION", tier="system", category="pii-us", policy_version=3,
        rule_path="system/pii-us/sys_pii_ssn",
    )  # fmt: skip
    rule = MatchedRule(
        policy_id="sys_pii_ssn", matched_on="messages[0].content", role="user", span_count=1, spans=((10, 21),)
    )
    return Explanation(
        **{
            "decision_id": DECISION,
            "timestamp": NOW - timedelta(minutes=1),
            "reason": "Social Security Number detected",
            "verdict": "blocked",
            "plane": "openai_compat",
            "counterfactual": flip,
            "policy_matches": (match,),
            "matched_rules": (rule,),
            "policy_set_hash": "d61c7a56" * 8,
            "trace_id": TRACE,
            **fields,
        }
    )


def trace(*rows: tuple[str, dict[str, Any]]) -> Correlation:
    """Rows of one trace, 340 ms apart."""
    first = NOW - timedelta(minutes=1)
    return Correlation(
        trace_id=TRACE,
        rows=tuple(
            TracedRow(source, first + timedelta(milliseconds=340 * place), row)
            for place, (source, row) in enumerate(rows)
        ),
    )


def summary(**fields: Any) -> Summary:
    """Three hours with calls."""
    return Summary(
        **{
            "start_time": NOW - timedelta(hours=24),
            "end_time": NOW,
            "total_requests": 12,
            "blocked_requests": 3,
            "block_rate_percent": 25.0,
            "avg_latency_ms": 1.4,
            "by_action": {"allow": 8, "deny": 3, "redact": 1},
            "top_policies": (PolicyCount("sys_pii_ssn", "SSN Detection", 3), PolicyCount(HOSTILE, HOSTILE, 1)),
            "series": (
                Step(NOW.replace(hour=7, minute=0, second=0), {"allow": 6, "deny": 1}),
                Step(NOW.replace(hour=9, minute=0, second=0), {"allow": 2, "deny": 2, "redact": 1}),
            ),
            **fields,
        }
    )


def gap_report(*gaps: Gap, **totals: int) -> GapReport:
    """The gaps of a day."""
    counts = {"approved": 0, "audited": 0, "unaudited": 0, "open": 0, "denied": 0, "called_despite_denial": 0}
    return GapReport(
        since=NOW - timedelta(hours=24),
        until=NOW,
        totals=GapTotals(**{**counts, **totals}),
        gaps=gaps,
        total=len(gaps),
    )


def gap(client_id: str = "teller-app", **fields: Any) -> Gap:
    """An hour in which two calls of three were never reported."""
    counts = {"approved": 3, "audited": 1, "unaudited": 2, "open": 0, "denied": 0, "called_despite_denial": 0}
    return Gap(**{"client_id": client_id, "hour": NOW.replace(hour=8, minute=0, second=0), **counts, **fields})


def circuits(count: int = 0) -> Circuits:
    """Circuits without their list."""
    return Circuits(active_circuits=(), count=count)


def replay(**fields: Any) -> Replay:
    """The refused completion made again, with another verdict."""
    return Replay(
        **{
            "decision_id": DECISION,
            "timestamp": NOW,
            "against": "current",
            "replayable": True,
            "recorded": ReplaySide(verdict="blocked", reason="Social Security Number detected", match_count=1),
            "replayed": ReplaySide(verdict="allowed", policy_set_hash="ab" * 32),
            "exact": True,
            "same": False,
            "same_matches": False,
            "changes": (ReplayChange(policy_id="sys_pii_ssn", then="block", now=None, why="is not judged any more"),),
            **fields,
        }
    )
