"""Tells a statement on the system's own tables that is to be run from one that is asked about."""

from __future__ import annotations

import re

from axonflow_policy.validators.found import Found
from axonflow_policy.validators.sql_context import ASKED, explained, line_lead, quoted_in_explanation, sentence_lead

# A longer way from its verb to its table is no statement that people write on one line.
_LONGEST = 600
_COUNTED = re.compile(r"select\s+(?:count|exists|max|min)\s*\([^)]{0,80}\)\s*(?:as\s+\w+\s*)?from\b", re.IGNORECASE)
_SENTENCE_WORD = re.compile(r"select\s+(?:an?|the|your|one|some|which|any)\s", re.IGNORECASE)

# Tables of accounts that the system itself keeps; of others only credentials are guarded.
_SYSTEM_ACCOUNTS = re.compile(
    r"(?:pg_\w+|mysql[\"'`\]]?\.[\"'`\[]?user|sys\.[\w$]+|dba_users|admin_users|superusers)\Z", re.IGNORECASE
)
_CREDENTIALS = re.compile(r"passw(?:or)?d|pwd|pass_?hash|api_?key|secret|mfa|totp|salt", re.IGNORECASE)


def admin_statement(found: Found) -> bool:
    """A statement that reads rows or changes them; a count, a question and an English sentence do not."""
    if len(found.value) > _LONGEST or _COUNTED.match(found.value) or _SENTENCE_WORD.match(found.value):
        return False
    if explained(found) or quoted_in_explanation(found):
        return False
    return ASKED.search(sentence_lead(found)) is None or not line_lead(found).strip()


def admin_accounts(found: Found) -> bool:
    """A statement on accounts that reads their credentials, changes their rights, or reads the system's own table."""
    value = found.value
    if value[:6].lower() == "select" and not _SYSTEM_ACCOUNTS.search(value) and not _CREDENTIALS.search(value):
        return False
    return admin_statement(found)
