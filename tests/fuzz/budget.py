"""How many examples a property gets: few in the suite, many under `make fuzz`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

EXAMPLES_VARIABLE = "AXONFLOW_FUZZ_EXAMPLES"


def budget(short: int) -> settings:
    """``short`` examples, or what `EXAMPLES_VARIABLE` says; no deadline, since the machine may be busy."""
    wanted = os.environ.get(EXAMPLES_VARIABLE)
    examples = int(wanted or short)
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    # The suite asks the same every time; new questions are for the long run, whose findings stop nobody's change.
    return settings(max_examples=examples, deadline=None, suppress_health_check=slow, derandomize=not wanted)
