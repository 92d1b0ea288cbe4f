"""Many rules at once, all of them or none: checked whole before the first is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec
from axonflow_contracts.verdicts import Tier
from axonflow_database import Connection
from axonflow_governance.changes import Author

from axonflow_orchestrator.tenant_policies import store
from axonflow_orchestrator.tenant_policies.bodies import RuleBody, fields_of, problems_of
from axonflow_orchestrator.tenant_policies.editor import RuleEditor, owner_of, tier_of
from axonflow_orchestrator.tenant_policies.reader import tenant_of
from axonflow_orchestrator.tenant_policies.records import StoredRule
from axonflow_orchestrator.tenant_policies.refusals import FieldProblem, invalid, not_found, transaction
from axonflow_orchestrator.tenant_policies.wire import DynamicPolicy, shown

MOST_AT_ONCE = 100


class Mode(StrEnum):
    """Whether rules that are there already may be named."""

    CREATE = "create"
    UPSERT = "upsert"


class Overwrite(StrEnum):
    """What an upsert does with a rule that is there: takes the given fields over, leaves it, or refuses it."""

    OVERWRITE = "overwrite"
    SKIP = "skip"
    ERROR = "error"


class ImportedRule(RuleBody, frozen=True, kw_only=True):
    """One rule; in an upsert ``id``, or else its name within its tier, says which it is."""

    id: str | None = None


class ImportBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an import."""

    policies: tuple[ImportedRule, ...] = ()
    mode: Mode = Mode.CREATE
    overwrite_mode: Overwrite = Overwrite.OVERWRITE


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What was done."""

    success: bool
    total: int
    created: int
    updated: int
    skipped: int
    policies: tuple[DynamicPolicy, ...]
    errors: tuple[()] = ()


class _Row(NamedTuple):
    body: ImportedRule
    tier: Tier
    tenant_id: str
    known: StoredRule | None


@dataclass(frozen=True, slots=True)
class RuleImporter:
    """Writes many rules through the editor, so that each has its history and audit row."""

    editor: RuleEditor

    async def run(self, body: ImportBody, author: Author) -> Imported:
        """Import all, or none.

        Raises:
            Fault: 400 naming every row and field, 403 for a tier or a limit, 503.
        """
        if not 0 < len(body.policies) <= MOST_AT_ONCE:
            raise invalid([FieldProblem("policies", f"must be 1 to {MOST_AT_ONCE}")])
        caller = author.caller
        async with transaction(self.editor.database, caller.org_id) as connection:
            stored = await store.read_all(connection, caller.org_id, tenant_of(caller))
            rows = [self._row(each, author, stored) for each in body.policies]
            problems = [problem for number, row in enumerate(rows) for problem in _problems(number, row, body)]
            problems += _twice(rows) if body.mode is Mode.UPSERT else []
            if problems:
                raise invalid(problems)
            await self._require_room(connection, rows, author)
            done = [await self._write(connection, row, body, author) for row in rows]
        await self.editor.source.follow_write(caller.org_id)
        return _told(rows, [shown(row) for row in done], body)

    def _row(self, body: ImportedRule, author: Author, stored: Sequence[StoredRule]) -> _Row:
        tier = tier_of(body)
        self.editor.limits.require_tier(tier)
        tenant_id = "" if tier is Tier.ORGANIZATION else owner_of(author.caller, body.tenant_id)
        mine = [row for row in stored if row.tenant_id == tenant_id]
        by_id = next((row for row in mine if body.id and row.id == body.id.lower()), None)
        name = (body.name or "").strip()
        return _Row(body, tier, tenant_id, by_id or next((row for row in mine if row.name == name), None))

    async def _require_room(self, connection: Connection, rows: Sequence[_Row], author: Author) -> None:
        """Before the first is written, so that no audit row tells of what is rolled back."""
        new = Counter((row.tier, row.tenant_id) for row in rows if row.known is None)
        for (tier, tenant_id), count in sorted(new.items()):
            await self.editor.limits.require_room(connection, tier, author.caller.org_id, tenant_id, adding=count)

    async def _write(self, connection: Connection, row: _Row, body: ImportBody, author: Author) -> StoredRule:
        if row.known is None:
            return await self.editor.add(connection, row.body, author)
        if body.overwrite_mode is Overwrite.SKIP:
            return row.known
        locked = await store.lock(connection, row.known.id, author.caller.org_id, tenant_of(author.caller))
        if locked is None:
            raise not_found()
        return await self.editor.change(connection, locked, row.body, author)


def _problems(number: int, row: _Row, body: ImportBody) -> Iterator[FieldProblem]:
    place = f"policies[{number}]"
    refuses = body.mode is Mode.CREATE or body.overwrite_mode is Overwrite.ERROR
    if row.known is not None and refuses:
        yield FieldProblem(f"{place}.name", f"there is a policy of this name: {row.known.id}")
    fields = fields_of(row.body) if row.known is None else fields_of(row.body, row.known.fields)
    for problem in problems_of(fields):
        yield FieldProblem(f"{place}.{problem.field}", problem.message)


def _twice(rows: Sequence[_Row]) -> list[FieldProblem]:
    """Rows of one import that mean the same rule."""
    seen: set[tuple[str, str]] = set()
    found = []
    for number, row in enumerate(rows):
        key = (row.tenant_id, row.known.id if row.known else (row.body.name or "").strip())
        if key in seen:
            found.append(FieldProblem(f"policies[{number}].name", "stands twice in this import"))
        seen.add(key)
    return found


def _told(rows: Sequence[_Row], policies: Sequence[DynamicPolicy], body: ImportBody) -> Imported:
    created = sum(row.known is None for row in rows)
    skipped = len(rows) - created if body.overwrite_mode is Overwrite.SKIP else 0
    return Imported(
        success=True,
        total=len(rows),
        created=created,
        updated=len(rows) - created - skipped,
        skipped=skipped,
        policies=tuple(policies),
    )
