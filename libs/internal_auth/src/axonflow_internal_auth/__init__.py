"""Internal tokens: how agent, orchestrator and portal prove themselves to each other (rulings.md section 3)."""

from axonflow_internal_auth.headers import TOKEN_HEADER, is_identity_header, is_internal_header
from axonflow_internal_auth.middleware import CALLER, InternalAuth, target_of
from axonflow_internal_auth.tokens import (
    WINDOW_S,
    InvalidToken,
    LedgerUnavailable,
    NonceLedger,
    TokenMinter,
    TokenVerifier,
)

__all__ = [
    "CALLER",
    "TOKEN_HEADER",
    "WINDOW_S",
    "InternalAuth",
    "InvalidToken",
    "LedgerUnavailable",
    "NonceLedger",
    "TokenMinter",
    "TokenVerifier",
    "is_identity_header",
    "is_internal_header",
    "target_of",
]
