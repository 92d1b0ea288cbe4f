"""Why a governed call could not be made or recorded; both mean that the caller is refused."""

from __future__ import annotations


class JudgementFailed(Exception):
    """No verdict could be made: no policy set is loaded, or the engine failed. Never read as "no match"."""


class PolicySetUnavailable(Exception):
    """The stored policies could not be read whole; the set that is loaded stays in force."""
