"""What the policy and template families refuse, in the words of their envelope (orchestrator contract section 0.3)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

from axonflow_contracts.errors import Fault
from axonflow_database import Connection, Database, DatabaseUnavailable

NOT_FOUND = "Policy not found"
NEEDS_EVALUATION = "FEATURE_REQUIRES_EVALUATION_LICENSE"


class FieldProblem(NamedTuple):
    """One field that is not what it may be."""

    field: str
    message: str


def invalid(problems: Iterable[FieldProblem]) -> Fault:
    """A 400 that names every field."""
    found = list(problems)
    told = "; ".join(f"{each.field}: {each.message}" for each in found[:3])
    details = [{"field": each.field, "message": each.message} for each in found]
    return Fault(400, f"Validation failed: {told}", code="VALIDATION_ERROR", details={"details": details})


def not_found() -> Fault:
    """A 404, also for what belongs to somebody else."""
    return Fault(404, NOT_FOUND)


def forbidden(message: str, code: str = "FORBIDDEN") -> Fault:
    """A 403."""
    return Fault(403, message, code=code)


def unknown_rules() -> Fault:
    """A 503: the rules of a tenant were never read."""
    message = "The policies are not known yet: PostgreSQL does not answer"
    return Fault(503, message, headers={"Retry-After": "1"})


@contextlib.asynccontextmanager
async def transaction(database: Database, org_id: str) -> AsyncIterator[Connection]:
    """A transaction for an organisation.

    Raises:
        Fault: 503, PostgreSQL does not answer.
    """
    try:
        async with database.tenant(org_id) as connection:
            yield connection
    except DatabaseUnavailable as error:
        message = "The policies cannot be read or changed: PostgreSQL does not answer"
        raise Fault(503, message, headers={"Retry-After": "1"}) from error
