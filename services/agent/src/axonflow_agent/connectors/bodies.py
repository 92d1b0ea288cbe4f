"""What clients send to connectors (agent contract §1.10)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from axonflow_connectors import Call as ConnectorCall
from axonflow_connectors import Limits
from axonflow_contracts.errors import Fault
from axonflow_settings.core import duration_s

from axonflow_agent.mcp.bodies import Identity, named
from axonflow_agent.mcp.checks import Ask

QUERY, EXECUTE = "query", "execute"
SQL_ACTIONS = ("INSERT", "UPDATE", "DELETE")
LONGEST_ACTION = 100
DEFAULT_TIMEOUT_S, LONGEST_TIMEOUT_S = 30.0, 120.0
LARGEST_LIMIT = 10_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """One call on a connector, checked.

    Attributes:
        ask: what is judged.
        limit: rows that the caller wants at most; 0 is as many as may be had.
        positional: whether the parameters came as a list.
    """

    ask: Ask
    timeout_s: float
    limit: int = 0
    positional: bool = False

    def call(self, ask: Ask, limits: Limits) -> ConnectorCall:
        """The connector's call of what may be asked, which is masked where a policy redacts."""
        given: Mapping[str, Any] | Sequence[Any] = ask.parameters
        if self.positional:
            given = list(ask.parameters.values())
        return ConnectorCall(statement=ask.statement, parameters=given, limits=limits)


class QueryBody(Identity, frozen=True, kw_only=True):
    """The body of ``POST /mcp/resources/query``; published SDKs have no other place than ``options`` for the rest."""

    connector: str | None = None
    statement: str | None = None
    operation: str | None = None
    parameters: dict[str, Any] | list[Any] | None = None
    limit: int | None = None
    timeout: str | int | float | None = None
    options: dict[str, Any] | None = None

    def wanted(self) -> Wanted:
        """The call.

        Raises:
            Fault: 400, a member is missing or is none of its values.
        """
        return self._wanted(QUERY, self.statement or self.operation or "")

    def _wanted(self, operation: str, statement: str) -> Wanted:
        connector = named(self.connector, "connector")
        if not statement.strip():
            raise Fault(400, "statement field is required")
        given = self._option("parameters", self.parameters) or {}
        if not isinstance(given, dict | list):
            raise Fault(400, "parameters must be an object or a list")
        parameters = given if isinstance(given, dict) else {str(index): value for index, value in enumerate(given)}
        limit = self._option("limit", self.limit) or 0
        if type(limit) is not int or not 0 <= limit <= LARGEST_LIMIT:
            raise Fault(400, f"limit must be a whole number from 0 to {LARGEST_LIMIT}")
        return Wanted(
            ask=Ask(connector=connector, operation=operation, statement=statement, parameters=parameters),
            timeout_s=_timeout_s(self._option("timeout", self.timeout)),
            limit=limit,
            positional=isinstance(given, list),
        )

    def _option(self, name: str, given: Any) -> Any:
        return given if given is not None else (self.options or {}).get(name)


class ExecuteBody(QueryBody, frozen=True, kw_only=True):
    """The body of ``POST /mcp/tools/execute``."""

    action: str | None = None

    def wanted(self) -> Wanted:
        """The call; an action that is no word of SQL is the operation itself where no statement is given.

        Raises:
            Fault: 400, a member is missing or is none of its values.
        """
        action = (self.action or "").strip()
        if not action or len(action) > LONGEST_ACTION:
            raise Fault(400, "action field is required")
        verb = action.upper()
        statement = self.statement or self.operation or ""
        if verb not in SQL_ACTIONS:
            return self._wanted(EXECUTE, statement or action)
        return self._wanted(verb.lower(), statement)


def _timeout_s(given: Any) -> float:
    if given is None or given == "":
        return DEFAULT_TIMEOUT_S
    try:
        seconds = duration_s(given) if isinstance(given, str) else float(given)
    except (TypeError, ValueError, OverflowError):
        raise Fault(400, "Invalid timeout format") from None
    if isinstance(given, bool) or not 0 < seconds <= LONGEST_TIMEOUT_S:
        raise Fault(400, "Invalid timeout format")
    return seconds
