"""The one exception of the launcher: why the product cannot be brought up, said to the person who typed the command."""

from __future__ import annotations


class CannotStart(Exception):
    """A sentence or two that say what is wrong and what to do; shown as they are, without a traceback."""
