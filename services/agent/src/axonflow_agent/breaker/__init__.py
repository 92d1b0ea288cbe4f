"""Circuit breaker: an organisation stops a client, a tenant, a policy's traffic or all (agent contract §1.13)."""
