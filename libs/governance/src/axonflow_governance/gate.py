"""Who may stop a call although no policy does: a circuit breaker, asked before and after the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from axonflow_contracts.caller import Caller


class Gate(Protocol):
    """Looks in memory only: it stands in the hot path of every plane."""

    def admit(self, caller: Caller) -> None:
        """Let a call be judged; raises `CallStopped` where it must not be."""
        ...

    def admit_matches(self, caller: Caller, policy_ids: Iterable[str]) -> None:
        """Let a call pass on although these policies matched; raises `CallStopped` where one of them is stopped."""
        ...

    def denied(self, caller: Caller, policy_id: str) -> None:
        """Hear that a policy blocked a call."""
        ...

    def failed(self, caller: Caller) -> None:
        """Hear that a call which passed was not answered properly."""
        ...

    def succeeded(self, caller: Caller) -> None:
        """Hear that a call went well."""
        ...


class OpenGate:
    """Stops nothing."""

    def admit(self, caller: Caller) -> None:
        """Let it be judged."""

    def admit_matches(self, caller: Caller, policy_ids: Iterable[str]) -> None:
        """Let it pass on."""

    def denied(self, caller: Caller, policy_id: str) -> None:
        """Forget it."""

    def failed(self, caller: Caller) -> None:
        """Forget it."""

    def succeeded(self, caller: Caller) -> None:
        """Forget it."""
