"""What can go wrong in the audit log, in words for an operator."""

from __future__ import annotations


class AuditUnavailable(Exception):
    """No place would take the row, so the call it describes must not be answered (503)."""


class AuditDirectoryError(Exception):
    """The directory of ``AUDIT_FALLBACK_PATH`` cannot be used; the text names it and the remedy."""
