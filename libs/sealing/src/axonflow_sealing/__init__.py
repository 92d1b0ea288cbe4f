"""Sealed fields: AES-256-GCM with key ids, rotation, and a context that a value cannot be moved out of."""

from axonflow_sealing.errors import CannotOpen, KeyNotGiven, SealingUnavailable
from axonflow_sealing.sealer import Sealer, SealingContext

__all__ = ["CannotOpen", "KeyNotGiven", "Sealer", "SealingContext", "SealingUnavailable"]
