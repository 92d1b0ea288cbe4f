"""Reads chains: of one decision, and of everything that belongs to one trace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from axonflow_audit import AuditRow, DecisionChainRow, pages
from axonflow_audit.chains import steps_of
from axonflow_audit.filters import RecordFilter
from axonflow_audit.traces import decisions_of_trace
from axonflow_contracts.errors import Fault
from axonflow_database import Database

from axonflow_orchestrator.callers import Readable, reading
from axonflow_orchestrator.chains.views import Chain, chain_of

MOST_PHASES = 20
MOST_DECISIONS = 500
MOST_STEPS = 5_000
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


class TraceChains(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The chains of one trace, oldest first; ``verified`` where each of them is, and all of them were read."""

    trace_id: str
    chains: tuple[Chain, ...]
    total: int
    verified: bool
    partial: bool = False
    source_errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChainReader:
    """Reads as the tenant role, each time in a transaction of its own."""

    database: Database

    async def of_decision(self, decision_id: str, readable: Readable) -> Chain:
        """The chain of one decision.

        Raises:
            Fault: 404, also for a decision of another tenant and for one without a chain; 503.
        """
        wanted = RecordFilter(
            org_id=readable.org_id, tenant_id=readable.tenant_id, since=readable.since, decision_id=decision_id
        )
        async with reading(self.database, readable.org_id) as connection:
            rows = await pages.read_page(connection, wanted, limit=MOST_PHASES)
            steps = await steps_of(connection, rows, limit=MOST_STEPS)
        chains = _chains(rows, steps)
        if not chains:
            raise Fault(404, "No chain was kept of this decision" if rows else "Decision not found")
        return chains[0]

    async def of_trace(self, trace_id: str, readable: Readable) -> TraceChains:
        """All chains of one trace.

        Raises:
            Fault: 404 without one that the caller may read; 503.
        """
        params = {
            "org_id": readable.org_id,
            "tenant_id": readable.tenant_id,
            "trace_id": trace_id,
            "since": readable.since or _EARLIEST,
            "limit": MOST_DECISIONS + 1,
        }
        async with reading(self.database, readable.org_id) as connection:
            found = await decisions_of_trace(connection, params)
            shown = found[:MOST_DECISIONS]
            steps = await steps_of(connection, shown, limit=MOST_STEPS + 1)
        chains = _chains(shown, steps[:MOST_STEPS])
        if not chains:
            raise Fault(404, "No chain of this trace was found")
        cut = len(found) > len(shown) or len(steps) > MOST_STEPS
        return TraceChains(
            trace_id=trace_id,
            chains=chains,
            total=len(chains),
            verified=not cut and all(chain.verified for chain in chains),
            partial=cut,
            source_errors=("decision_chain: only the first steps were read",) if cut else (),
        )


def _chains(decisions: Sequence[AuditRow], steps: Sequence[DecisionChainRow]) -> tuple[Chain, ...]:
    by_decision: dict[tuple[datetime, str], list[DecisionChainRow]] = defaultdict(list)
    for step in steps:
        by_decision[step.created_at, step.decision_id].append(step)
    chains = (chain_of(row, by_decision.get((row.created_at, row.decision_id), [])) for row in decisions)
    return tuple(chain for chain in chains if chain is not None)
