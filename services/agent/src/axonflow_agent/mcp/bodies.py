"""What clients send to the checks (agent contract §1.10)."""

from __future__ import annotations

from typing import Any

import msgspec
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault

from axonflow_agent.governed import Call
from axonflow_agent.mcp.checks import Ask, Reply

CHECK_INPUT, CHECK_OUTPUT = "check-input", "check-output"
OPERATIONS = ("query", "execute")
LONGEST_NAME = 256
MOST_ROWS = 10**9


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a body says it is from: that may equal what was proven or be empty, and never replaces it."""

    client_id: str | None = None
    user_token: str | None = None
    tenant_id: str | None = None

    def claim(self, call: Call) -> None:
        """Take it into the call.

        Raises:
            Fault: 401 for a user token that does not hold, 403 for another client or tenant.
        """
        _refuse_foreign(call.caller, self.tenant_id or "")
        call.claim(client_id=self.client_id or "", user_token=self.user_token or "")


class CheckInputBody(Identity, frozen=True, kw_only=True):
    """The body of ``POST /api/v1/mcp/check-input``."""

    connector_type: str | None = None
    statement: str | None = None
    parameters: dict[str, Any] | None = None
    operation: str | None = None

    def ask(self) -> Ask:
        """What is to be judged.

        Raises:
            Fault: 400, a member is missing or is none of its values.
        """
        if self.statement is None or not self.statement.strip():
            raise Fault(400, "statement field is required")
        if (self.operation or OPERATIONS[1]) not in OPERATIONS:
            raise Fault(400, f"operation must be one of: {', '.join(OPERATIONS)}")
        return Ask(
            connector=named(self.connector_type, "connector_type"),
            operation=CHECK_INPUT,
            statement=self.statement,
            parameters=self.parameters or {},
        )


class CheckOutputBody(Identity, frozen=True, kw_only=True):
    """The body of ``POST /api/v1/mcp/check-output``."""

    connector_type: str | None = None
    response_data: list[Any] | None = None
    message: str | None = None
    metadata: dict[str, Any] | None = None
    row_count: int | None = None

    def reply(self) -> tuple[Ask, Reply]:
        """Whose answer is to be judged, and the answer; rows go before a message.

        Raises:
            Fault: 400, a member is missing or is none of its values.
        """
        ask = Ask(connector=named(self.connector_type, "connector_type"), operation=CHECK_OUTPUT)
        if self.response_data is None and not self.message:
            raise Fault(400, "response_data or message field is required")
        if self.response_data is not None and self.message:
            raise Fault(400, "response_data and message exclude each other: each is judged in a call of its own")
        if not 0 <= (self.row_count or 0) <= MOST_ROWS:
            raise Fault(400, f"row_count must be a whole number from 0 to {MOST_ROWS}")
        return ask, Reply(rows=self.response_data, message=self.message, row_count=self.row_count or 0)


def named(name: str | None, field: str) -> str:
    """The name of a connector or of its type.

    Raises:
        Fault: 400 without one, or with one that is no name.
    """
    if name is None or not name.strip():
        raise Fault(400, f"{field} field is required")
    if len(name) > LONGEST_NAME:
        raise Fault(400, f"{field} must be at most {LONGEST_NAME} characters")
    return name


def _refuse_foreign(caller: Caller, tenant_id: str) -> None:
    # In community nothing is proven; a tenant is an older word for a client (agent contract §2.3).
    if caller.kind is CallerKind.CLIENT and tenant_id not in {"", caller.tenant_id, caller.client_id}:
        raise Fault(403, "Tenant mismatch: tenant_id is not the tenant that the credentials belong to")
