"""What a connector is: its specification, its live side, and what goes in and comes out. No driver is named here."""

from __future__ import annotations

import abc
import asyncio
import dataclasses
import enum
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from axonflow_connectors.faults import ConnectorFault, FaultKind

HEALTH_TIMEOUT_S = 5.0


class Capability(enum.StrEnum):
    """A side of a connector; what it lacks is refused with ``FaultKind.READ_ONLY``."""

    QUERY = "query"
    EXECUTE = "execute"
    TOOLS = "tools"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one call may take and give, enforced while rows arrive.

    Attributes:
        max_rows: rows of an answer; further ones are left out and the answer says so; 0 is no limit.
        max_bytes: bytes of an answer as JSON; 0 is no limit.
        timeout_s: connecting, asking and reading together.
    """

    max_rows: int = 10_000
    max_bytes: int = 10_485_760
    timeout_s: float = 30.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One governed request to a connector.

    Attributes:
        statement: SQL, ``GET /path/{id}``, a Redis command line, or the name of an operation (``list_objects``).
        parameters: bound to the statement, never pasted into it; a sequence for positional SQL parameters.
        limits: what the answer may cost.
    """

    statement: str
    parameters: Mapping[str, Any] | Sequence[Any] = ()
    limits: Limits = dataclasses.field(default_factory=Limits)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The answer to a read: JSON-ready objects.

    Attributes:
        rows: at most as many as the limits allow.
        row_count: ``len(rows)``.
        truncated: which limit cut the answer; None when it is whole.
        bytes_read: size of ``rows`` as JSON.
        duration_ms: wall time of the call.
    """

    rows: list[dict[str, Any]]
    row_count: int
    truncated: Literal["rows", "bytes"] | None
    bytes_read: int
    duration_ms: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The outcome of a write.

    Attributes:
        rows_affected: as the other side counts; -1 where it does not say.
        answer: what the other side gave back (RETURNING, a JSON reply), within the limits.
    """

    rows_affected: int
    answer: Rows


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One look at a connector; ``error`` is a public sentence, None when it answered."""

    healthy: bool
    latency_ms: float
    error: str | None = None
    details: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool as the other side describes it; the text is not to be trusted before it was looked at.

    Attributes:
        output_schema: None where the other side gives none.
        annotations: hints of the other side, such as ``readOnlyHint``; a hint proves nothing.
    """

    name: str
    description: str
    input_schema: Mapping[str, Any]
    title: str = ""
    output_schema: Mapping[str, Any] | None = None
    annotations: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def read_only(self) -> bool:
        """Whether the other side says that it changes nothing."""
        return self.annotations.get("readOnlyHint") is True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ToolAnswer:
    """What a tool gave back: content blocks as JSON objects, and whether the tool itself calls it an error."""

    content: list[dict[str, Any]]
    is_error: bool
    duration_ms: float


class Connector(abc.ABC):
    """The live side of one installed connector; safe for concurrent calls, holds what it must until ``close``.

    Every method but ``health`` and ``close`` raises ``ConnectorFault`` and nothing else.
    """

    capabilities: frozenset[Capability] = frozenset()

    @abc.abstractmethod
    async def test(self) -> Mapping[str, str]:
        """Connect, prove the credentials, and say what answered (``{"server": "PostgreSQL 15.8"}``)."""

    async def query(self, call: Call) -> Rows:
        """Read. What the other side could be made to change by it is refused there, not guessed from the text."""
        del call
        raise ConnectorFault(FaultKind.READ_ONLY, "This connector cannot be queried")

    async def execute(self, call: Call) -> Written:
        """Write, once; never tried again by the connector."""
        del call
        raise ConnectorFault(FaultKind.READ_ONLY, "This connector cannot write")

    async def tools(self) -> tuple[Tool, ...]:
        """The tools that the other side offers now."""
        raise ConnectorFault(FaultKind.REQUEST, "This connector offers no tools")

    async def call_tool(self, name: str, arguments: Mapping[str, Any], limits: Limits) -> ToolAnswer:
        """Call one of ``tools()``, once."""
        del name, arguments, limits
        raise ConnectorFault(FaultKind.REQUEST, "This connector offers no tools")

    async def health(self, timeout_s: float = HEALTH_TIMEOUT_S) -> Health:
        """``test`` as a verdict; never raises a ``ConnectorFault``."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(timeout_s):
                details = await self.test()
        except TimeoutError:
            return Health(healthy=False, latency_ms=elapsed_ms(started), error="No answer in time")
        except ConnectorFault as fault:
            return Health(healthy=False, latency_ms=elapsed_ms(started), error=fault.message)
        return Health(healthy=True, latency_ms=elapsed_ms(started), details=details)

    @abc.abstractmethod
    async def close(self) -> None:
        """Give up connections; calls under way may fail. May be called twice."""


def elapsed_ms(started: float) -> float:
    """Milliseconds since ``started`` (``time.perf_counter()``)."""
    return (time.perf_counter() - started) * 1000
