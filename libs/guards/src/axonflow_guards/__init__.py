"""Rate limits, replay guards and repeatable calls, shared by all replicas."""

from axonflow_guards.idempotency import Attempt, IdempotencyKeys, InvalidKey, KeyInUse, KeyReused
from axonflow_guards.nonces import NonceLedger
from axonflow_guards.rates import Admission, RateLimiter
from axonflow_guards.replies import KeyScope, StoredReply

__all__ = [
    "Admission",
    "Attempt",
    "IdempotencyKeys",
    "InvalidKey",
    "KeyInUse",
    "KeyReused",
    "KeyScope",
    "NonceLedger",
    "RateLimiter",
    "StoredReply",
]
