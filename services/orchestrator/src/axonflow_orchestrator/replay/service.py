"""One decision made again: its sealed input is opened, judged by the set of then or of now, and forgotten."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec
from axonflow_audit import AuditRow, pages
from axonflow_audit.filters import RecordFilter
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Plane, Verdict
from axonflow_database import Database, DatabaseUnavailable
from axonflow_governance.errors import PolicySetUnavailable
from axonflow_governance.inputs import InputSealer, JudgedInput
from axonflow_governance.rebuilding import Rebuilt, SetBuilder
from axonflow_policy import PolicySet
from axonflow_policy.policy_set import InvalidPolicy
from axonflow_sealing import CannotOpen, KeyNotGiven, SealingUnavailable
from axonflow_settings import Edition

from axonflow_orchestrator.callers import Readable, reading
from axonflow_orchestrator.decisions.explaining import MOST_PHASES, NOT_FOUND, decided
from axonflow_orchestrator.replay.comparing import Change, Side, changes_between, recorded_side, replayed_side
from axonflow_orchestrator.replay.postures import posture_of
from axonflow_orchestrator.replay.replayable import NotReplayable, not_replayable, why_not
from axonflow_orchestrator.replay.store import StoredInput, read_inputs

logger = logging.getLogger("axonflow.orchestrator.replay")


class Against(StrEnum):
    """Which set judges again."""

    RECORDED = "recorded"
    CURRENT = "current"


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The answer; the input itself is never part of it.

    Attributes:
        exact: whether the very set that was asked for judged the very input; None where nothing judged.
        same: whether the verdict is the record's.
        same_matches: whether also every policy acted as then.
        inexact: why not exact.
        not_replayable: why there is no second verdict.
    """

    decision_id: str
    timestamp: datetime
    phase: str
    against: Against
    replayable: bool
    recorded: Side
    exact: bool | None = None
    same: bool | None = None
    same_matches: bool | None = None
    replayed: Side | None = None
    changes: tuple[Change, ...] = ()
    inexact: tuple[str, ...] = ()
    not_replayable: NotReplayable | None = None


@dataclass(frozen=True, slots=True)
class Replayer:
    """Makes decisions again."""

    database: Database
    sealer: InputSealer
    sets: SetBuilder

    async def replay(self, decision_id: str, against: Against, readable: Readable) -> Replay:
        """One decision made again.

        Raises:
            Fault: 404, also for a decision of another tenant; 503.
        """
        row, stored = await self._read(decision_id, readable)
        missing = why_not(row, None if stored is None else stored.omitted or "")
        if missing is not None or stored is None or stored.sealed is None:
            return _refused(row, against, missing or not_replayable("redacted"))
        try:
            judged = self.sealer.open(stored.sealed, row.org_id, row.id)
        except (KeyNotGiven, SealingUnavailable):
            return _refused(row, against, not_replayable("sealing_key"))
        except CannotOpen:
            logger.warning("a sealed input does not open", extra={"decision_id": row.decision_id, "org_id": row.org_id})
            return _refused(row, against, not_replayable("cannot_open"))
        rebuilt = await self._set(row, judged, against, readable.edition)
        if rebuilt is None:
            return _refused(row, against, not_replayable("policy_set"))
        acts = judged.approvals_act if against is Against.RECORDED else readable.edition is not Edition.COMMUNITY
        return await asyncio.to_thread(_judged_again, row, judged, rebuilt, against, approvals_act=acts)

    async def _read(self, decision_id: str, readable: Readable) -> tuple[AuditRow, StoredInput | None]:
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
            inputs = await read_inputs(connection, row.org_id, [row])
        return row, inputs.get((row.created_at, row.id))

    async def _set(self, row: AuditRow, judged: JudgedInput, against: Against, edition: Edition) -> Rebuilt | None:
        try:
            if against is Against.RECORDED:
                return await self.sets.find(row.org_id, row.policy_set_hash or "")
            recorded = await self.sets.find(row.org_id, row.policy_set_hash or "")
            return Rebuilt(*await self._current(row, judged, edition, recorded))
        except DatabaseUnavailable as error:
            message = "The decision cannot be made again now: PostgreSQL does not answer in time"
            raise Fault(503, message, headers={"Retry-After": "1"}) from error
        except (InvalidPolicy, PolicySetUnavailable) as error:
            raise Fault(503, f"The policy set cannot be made again: {error}") from error

    async def _current(
        self, row: AuditRow, judged: JudgedInput, edition: Edition, recorded: Rebuilt | None
    ) -> tuple[PolicySet, tuple[str, ...]]:
        fallback = None if recorded is None else recorded.policy_set.posture
        posture, inexact = await posture_of(self.database, Plane(row.plane), fallback)
        layers = await self.sets.now(
            row.org_id,
            row.tenant_id,
            posture,
            tenant_rules=judged.tenant_rules,
            overrides_act=edition is Edition.ENTERPRISE,
        )
        return await asyncio.to_thread(layers.set), inexact


def _judged_again(
    row: AuditRow, judged: JudgedInput, rebuilt: Rebuilt, against: Against, *, approvals_act: bool
) -> Replay:
    policy_set, inexact = rebuilt.policy_set, list(rebuilt.inexact)
    evaluation = policy_set.evaluate(judged.content, judged.phase, is_admin=judged.is_admin)
    verdict = judged.outcome(evaluation, approvals_act=approvals_act)
    changes = changes_between(row, evaluation, policy_set, judged.phase)
    if row.phase != judged.phase.value:
        inexact.append(f"only the {judged.phase} side was kept, and the record tells of both")
    elif not changes and verdict is not Verdict(row.verdict):
        inexact.append("the recorded verdict was not made by these policies alone")
    return Replay(
        decision_id=row.decision_id,
        timestamp=row.created_at,
        phase=judged.phase.value,
        against=against,
        replayable=True,
        exact=not inexact,
        same=verdict is Verdict(row.verdict),
        same_matches=not changes,
        recorded=recorded_side(row),
        replayed=replayed_side(evaluation, verdict, judged.phase),
        changes=changes,
        inexact=tuple(inexact),
    )


def _refused(row: AuditRow, against: Against, why: NotReplayable) -> Replay:
    return Replay(
        decision_id=row.decision_id,
        timestamp=row.created_at,
        phase=row.phase or "",
        against=against,
        replayable=False,
        recorded=recorded_side(row),
        not_replayable=why,
    )
