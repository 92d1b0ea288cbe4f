"""The catalogue, compiled once for every property."""

from __future__ import annotations

import pytest
from axonflow_contracts.posture import Posture
from axonflow_policy import PolicySet, catalogue


@pytest.fixture(scope="session")
def catalogue_set() -> PolicySet:
    """The product's own policies under the default posture."""
    return PolicySet.compile(catalogue(), Posture())
