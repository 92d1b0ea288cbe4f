"""Structured logs, metrics, trace ids and the decision span."""
