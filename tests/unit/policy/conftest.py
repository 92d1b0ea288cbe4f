"""The compiled catalogue, made once for all tests of the policy library."""

from __future__ import annotations

import pytest
from axonflow_contracts.posture import Posture
from axonflow_policy import PolicySet, catalogue


@pytest.fixture(scope="session")
def catalogue_set() -> PolicySet:
    return PolicySet.compile(catalogue(), Posture())
