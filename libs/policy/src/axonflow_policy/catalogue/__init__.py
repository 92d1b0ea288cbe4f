"""The system policies, as typed rows: one module a category. These rows are the truth; a database only mirrors them."""

from __future__ import annotations

from axonflow_policy.catalogue import code_secrets, pii_global, pii_us, security_dangerous, security_sqli
from axonflow_policy.model import Policy

# Raised with every change of a row; boot carries stored rows upward to it and never down.
CATALOGUE_VERSION = 1

_CATEGORIES = (security_sqli, security_dangerous, pii_global, pii_us, code_secrets)


def catalogue() -> tuple[Policy, ...]:
    """Every system policy, in the order of categories and of rows within them."""
    return tuple(policy for module in _CATEGORIES for policy in module.POLICIES)
