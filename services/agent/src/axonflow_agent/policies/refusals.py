"""Refusals of what an edition or a rule of the product does not allow."""

from __future__ import annotations

from axonflow_contracts.errors import Fault


def refused(message: str) -> Fault:
    """A 403 that carries its text at top level too, the only place where published SDKs look for it."""
    return Fault(403, message, details={"message": message})
