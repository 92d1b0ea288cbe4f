"""What can go wrong with a connector: a sentence for the caller, and the driver's own words as the private cause."""

from __future__ import annotations

import enum


class FaultKind(enum.StrEnum):
    """What a fault means; a surface turns it into a status."""

    CONFIGURATION = "configuration"
    """The installed options or credentials cannot be used (an administrator mends them)."""
    REQUEST = "request"
    """The call itself is at fault: its statement, its parameters, an operation that is not on the list."""
    READ_ONLY = "read_only"
    """A write was asked for where only reading is allowed, or the connector has no such side."""
    LOCKED = "locked"
    """The tool was not accepted by an administrator, or not in the form that it has now."""
    EGRESS = "egress"
    """The address is refused by the deployment's egress rules."""
    CREDENTIALS = "credentials"
    """The other side did not accept the credentials."""
    UNREACHABLE = "unreachable"
    """No connection, or it broke; a read may be tried again."""
    TIMEOUT = "timeout"
    """The call did not end in its time; whether a write was done is unknown."""
    TOO_LARGE = "too_large"
    """The answer is over the byte limit and cannot be cut into rows."""
    FAILED = "failed"
    """The other side refused or failed; its own text stays in the cause."""


class ConnectorFault(Exception):
    """A call on a connector that has no answer.

    The text is public: it holds no credential, no address and nothing of the statement. The driver's error is the
    ``__cause__`` and belongs in a log at most by its type, since drivers quote statements and hosts.
    """

    def __init__(self, kind: FaultKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
