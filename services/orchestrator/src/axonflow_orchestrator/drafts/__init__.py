"""Drafts of policies held against recorded traffic: which decisions would turn."""
