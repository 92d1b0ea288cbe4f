"""The facts of calls that are only tried out: what their bodies say, and what the server knows of whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_policy import Facts
from axonflow_policy.simulation import InputBody, facts_of

_FROM_CALLER = ("id", "email", "role", "department", "region")


def facts_for(body: InputBody, caller: Caller, environment: str) -> Facts:
    """The facts of a call, as a proxied one of ``caller`` would have them where the body does not say otherwise."""
    facts = facts_of(body, datetime.now(UTC))
    # A person that is named is tried out as named; nobody named is whoever asks.
    known = {} if body.user else {name: getattr(caller.user, name) for name in _FROM_CALLER}
    user = msgspec.structs.replace(facts.user, **known, tenant_id=facts.user.tenant_id or caller.tenant_id)
    return msgspec.structs.replace(facts, user=user, environment=facts.environment or environment)
