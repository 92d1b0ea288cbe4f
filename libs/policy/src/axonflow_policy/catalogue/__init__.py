"""The system policies, as typed rows: one module a category. These rows are the truth; a database only mirrors them."""

from __future__ import annotations

from axonflow_policy.catalogue import (
    code_secrets,
    code_unsafe,
    pii_eu,
    pii_global,
    pii_india,
    pii_indonesia,
    pii_singapore,
    pii_us,
    security_admin,
    security_dangerous,
    security_sqli,
    sensitive_data,
)
from axonflow_policy.model import Policy

# Raised with every change of a row; boot carries stored rows upward to it and never down.
CATALOGUE_VERSION = 4

_CATEGORIES = (
    security_sqli,
    security_dangerous,
    security_admin,
    pii_global,
    pii_us,
    pii_eu,
    pii_india,
    pii_singapore,
    pii_indonesia,
    sensitive_data,
    code_secrets,
    code_unsafe,
)


def catalogue() -> tuple[Policy, ...]:
    """Every system policy, in the order of categories and of rows within them."""
    return tuple(policy for module in _CATEGORIES for policy in module.POLICIES)
