"""Rate limits and replay guards that all replicas share."""
