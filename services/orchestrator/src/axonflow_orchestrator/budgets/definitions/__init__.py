"""Budgets as people make, change, read and remove them (orchestrator contract section 1.6)."""
