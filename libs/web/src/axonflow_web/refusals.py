"""Reasons not to start that an operator can mend."""

from __future__ import annotations


class StartRefused(Exception):
    """The service does not start; the message is one sentence that says what to do."""
