"""Where a process stands between its start and its end; health endpoints read it, the server writes it."""

from __future__ import annotations

import dataclasses
from enum import StrEnum


class Stage(StrEnum):
    """The stages of a process, in order."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


@dataclasses.dataclass(slots=True)
class Lifecycle:
    """The current stage of this process."""

    stage: Stage = Stage.STARTING

    @property
    def draining(self) -> bool:
        """Whether the process has been told to end."""
        return self.stage is Stage.DRAINING
