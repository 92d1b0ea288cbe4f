"""Who asks, and whose rows that caller may read."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault
from axonflow_database import Connection, Database, DatabaseUnavailable
from axonflow_internal_auth.middleware import CALLER
from axonflow_settings import Edition
from starlette.requests import Request

from axonflow_orchestrator.settings import OrchestratorSettings

COMMUNITY = "community"


class Readable(msgspec.Struct, frozen=True):
    """The part of the record that a caller may read.

    Attributes:
        org_id: whose rows; row security holds it too.
        tenant_id: None in community, where the whole deployment is one tenant (rulings section 2), and for the portal.
        since: the earliest moment within the edition's window; None without one.
        edition: the tier in force.
    """

    org_id: str
    tenant_id: str | None
    since: datetime | None
    edition: Edition


def caller_of(request: Request, settings: OrchestratorSettings) -> Caller:
    """Whom the internal token names; in community a call without one is the deployment's own.

    Raises:
        Fault: 401 for a client without a tenant, since no tenant means the whole organisation here, which is for
            services (orchestrator contract section 1.13).
    """
    caller: Caller | None = request.scope.get(CALLER)
    if caller is not None:
        if caller.kind is CallerKind.CLIENT and not caller.tenant_id:
            raise Fault(401, "The client belongs to no tenant")
        return caller
    return Caller(org_id=settings.org_id, tenant_id=COMMUNITY, client_id=COMMUNITY, kind=CallerKind.COMMUNITY)


def readable_by(caller: Caller, settings: OrchestratorSettings) -> Readable:
    """What ``caller`` may read now."""
    days = settings.limits.audit_retention_days
    # A service that names no tenant reads for its operator, who sees the organisation; a client always has one.
    whole = caller.kind is CallerKind.SERVICE and not caller.tenant_id
    return Readable(
        org_id=caller.org_id,
        tenant_id=caller.tenant_id if settings.mode.asks_for_credentials and not whole else None,
        since=None if days < 0 else datetime.now(UTC) - timedelta(days=days),
        edition=settings.edition,
    )


@contextlib.asynccontextmanager
async def reading(database: Database, org_id: str) -> AsyncIterator[Connection]:
    """A short transaction in which one organisation's rows are read.

    Raises:
        Fault: 503, PostgreSQL does not answer; an empty answer would say that there is nothing.
    """
    try:
        async with database.tenant(org_id) as connection:
            yield connection
    except DatabaseUnavailable as error:
        message = "The record cannot be read: PostgreSQL does not answer in time"
        raise Fault(503, message, headers={"Retry-After": "1"}) from error
