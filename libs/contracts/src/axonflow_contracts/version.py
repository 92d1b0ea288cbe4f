"""The platform version, taken from the package metadata and from nowhere else."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def platform_version() -> str:
    """The version of the installed platform, for example ``8.4.0``."""
    return metadata.version("axonflow-contracts")
