"""Endings that are told in a sentence: reasons not to start, and an end that could not be waited for."""

from __future__ import annotations


class StartRefused(Exception):
    """The service does not start; the message is one sentence that says what to do."""


class EndedBadly(Exception):
    """The service was told to end and could not close what it had open; rows may be in the fallback file."""
