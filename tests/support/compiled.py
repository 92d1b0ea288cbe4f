"""The compiled catalogue, made once for all processes of a test run: compiling it takes seconds, loading it a third."""

from __future__ import annotations

import fcntl
from pathlib import Path

from axonflow_contracts.posture import Posture
from axonflow_policy import PolicySet, catalogue


def compiled_catalogue(directory: Path) -> PolicySet:
    """The catalogue as stored, from the dump in ``directory``, which whoever comes first leaves there."""
    with (directory / "catalogue.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = directory / "catalogue.dump"
        policy_set = PolicySet.compile(catalogue(), Posture(), kept.read_bytes() if kept.exists() else None)
        if not policy_set.compiled_from_dump:
            kept.write_bytes(policy_set.dump())
    return policy_set
