"""Which provider a call goes to, and the care taken while it does: strategies, breaker, retries, weights."""
