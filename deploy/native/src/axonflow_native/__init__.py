"""Runs the three services as supervised processes on an embedded PostgreSQL."""
