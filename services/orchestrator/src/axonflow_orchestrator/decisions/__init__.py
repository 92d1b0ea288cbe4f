"""Decisions as a list, and why each was made."""
