"""What reading a source of policies brings, and what anything that can be read looks like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from axonflow_contracts.policies import StaticPolicy

from axonflow_portal.troubles import Trouble


@dataclass(frozen=True, slots=True)
class PolicyRead:
    """The outcome of one reading.

    Attributes:
        policies: rows read before the source ended or failed.
        trouble: what stopped the reading; None when the list is whole.
        read_at: when the reading ended.
    """

    policies: tuple[StaticPolicy, ...]
    trouble: Trouble | None
    read_at: datetime


class PolicySource(Protocol):
    """Anything that lists policies."""

    async def read(self) -> PolicyRead:
        """The whole list, or as much of it as could be read, with the cause."""
