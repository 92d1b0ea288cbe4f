"""Connectors that tenants install: definitions, sealed credentials, tests and health; the agent runs them."""
