"""Connectors at run time: definitions from the orchestrator, live connections, and the governed calls on them."""
