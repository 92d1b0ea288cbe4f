"""What a draft asks for, read strictly."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Action, Severity
from axonflow_policy import TenantRule

from axonflow_orchestrator.audit.queries import later
from axonflow_orchestrator.callers import Readable
from axonflow_orchestrator.questions import before, moment, text, whole_number

DEFAULT_DAYS, MOST_DAYS = 7, 90
DEFAULT_FLIPS, MOST_FLIPS = 100, 1000
MOST_POLICIES = 20
LONGEST_PATTERN = 512


class DraftPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A static policy as it would be.

    Attributes:
        policy_id: an existing one to change; of the product's own only ``action`` and ``enabled``. Unset or unknown
            with a pattern: a new one.
    """

    policy_id: str | None = None
    name: str | None = None
    pattern: str | None = None
    category: str | None = None
    action: Action | None = None
    severity: Severity | None = None
    priority: int | None = None
    enabled: bool | None = None


class DraftBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a run.

    Attributes:
        rules: dynamic policies that would be added.
        days: how far back, unless ``start_time`` tells.
        only_where_judged: leaves out planes that do not judge by what tenants write.
        limit: decisions of one page that would turn.
    """

    policies: tuple[DraftPolicy, ...] = ()
    rules: tuple[TenantRule, ...] = ()
    days: int | None = None
    start_time: str | None = None
    end_time: str | None = None
    client_id: str | None = None
    only_where_judged: bool = False
    limit: int | None = None
    cursor: str | None = None

    def digest(self) -> str:
        """What a cursor belongs to: everything but the page."""
        same = msgspec.structs.replace(self, cursor=None, limit=None)
        return hashlib.sha256(msgspec.json.encode(same)).hexdigest()[:16]


class Run(NamedTuple):
    """A checked run: which decisions are held against the draft, and how many flips are answered at once."""

    since: datetime
    until: datetime
    client_id: str
    limit: int


def run_of(body: DraftBody, readable: Readable) -> Run:
    """The window and the page.

    Raises:
        Fault: 400.
    """
    if not body.policies and not body.rules:
        raise Fault(400, "policies or rules: a draft changes something")
    if len(body.policies) + len(body.rules) > MOST_POLICIES:
        raise Fault(400, f"a draft has at most {MOST_POLICIES} policies and rules")
    days = whole_number(body.days, "days", least=1, most=MOST_DAYS, default=DEFAULT_DAYS)
    until = moment(body.end_time, "end_time") or datetime.now(UTC)
    since = moment(body.start_time, "start_time") or before(until, days)
    if since > until or until - since > timedelta(days=MOST_DAYS):
        raise Fault(400, f"start_time must be before end_time, by {MOST_DAYS} days at most")
    return Run(
        since=later(since, readable.since) or since,
        until=until,
        client_id=text(body.client_id, "client_id"),
        limit=whole_number(body.limit, "limit", least=1, most=MOST_FLIPS, default=DEFAULT_FLIPS),
    )
