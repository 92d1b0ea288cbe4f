"""What a gateway sends to have a call decided on."""

from __future__ import annotations

from typing import Any

import msgspec
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault

STAGES = ("llm", "tool", "agent")
LONGEST_TARGET = 256


class CallerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the gateway believes to call; outside community it may only repeat what the credentials prove."""

    gateway_id: str | None = None
    org_id: str | None = None
    tenant_id: str | None = None


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What the call is going to."""

    type: str | None = None
    model: str | None = None
    provider: str | None = None
    tool: str | None = None
    server: str | None = None

    @property
    def named(self) -> dict[str, str]:
        """The members that say anything, cut to what a row should hold."""
        return {name: value[:LONGEST_TARGET] for name, value in msgspec.structs.asdict(self).items() if value}


class DecideBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of ``POST /api/v1/decide`` (agent contract §1.7)."""

    stage: str | None = None
    query: str | None = None
    caller_identity: CallerIdentity | None = None
    target: Target | None = None
    user_token: str | None = None
    context: dict[str, Any] | None = None

    def checked(self) -> tuple[str, str]:
        """The stage in lower case, and the text to judge.

        Raises:
            Fault: 400 without either.
        """
        stage = (self.stage or "").strip().lower()
        if stage not in STAGES:
            raise Fault(400, f"stage is required and must be one of: {', '.join(STAGES)}")
        if self.query is None or not self.query.strip():
            raise Fault(400, "query field is required")
        return stage, self.query


def refuse_foreign(caller: Caller, identity: CallerIdentity) -> None:
    """Refuse an identity other than the proven one; in community nothing is proven.

    Raises:
        Fault: 403.
    """
    if caller.kind is CallerKind.COMMUNITY:
        return
    if (identity.org_id or caller.org_id) != caller.org_id:
        raise Fault(403, "caller_identity.org_id does not match authenticated identity")
    # A tenant is an older word for a client (agent contract §2.3): either names the same caller.
    if identity.tenant_id and identity.tenant_id not in {caller.tenant_id, caller.client_id}:
        raise Fault(403, "caller_identity.tenant_id does not match authenticated identity")
