"""Rate limits and replay guards that all replicas share."""

from axonflow_guards.nonces import NonceLedger
from axonflow_guards.rates import Admission, RateLimiter

__all__ = ["Admission", "NonceLedger", "RateLimiter"]
