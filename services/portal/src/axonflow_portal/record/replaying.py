"""A decision made again, in plain words. Pure: no I/O, no HTML."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_portal.record import words
from axonflow_portal.record.wire import Replay, ReplaySide

_SETS = {"recorded": "the policies of then", "current": "the policies of now"}


@dataclass(frozen=True, slots=True)
class ReplayView:
    """The page of one replay."""

    told: Replay

    @property
    def judged_by(self) -> str:
        """Which set judged, as a phrase."""
        return _SETS.get(self.told.against, self.told.against)

    @property
    def sentence(self) -> str:
        """What came out."""
        if self.told.replayed is None:
            why = self.told.not_replayable.message if self.told.not_replayable else "nothing says why"
            return f"This decision cannot be made again: {why}."
        verdict = words.verdict_name(self.told.replayed.verdict)
        if self.told.same and self.told.same_matches:
            return f"Judged again by {self.judged_by}, it is {verdict} as it was, for the same reasons."
        if self.told.same:
            return f"Judged again by {self.judged_by}, it is {verdict} as it was, and not for the same reasons."
        was = words.verdict_name(self.told.recorded.verdict)
        return f"Judged again by {self.judged_by}, it is {verdict}, and it was {was}."

    @property
    def other(self) -> str:
        """The set that could judge instead."""
        return "recorded" if self.told.against == "current" else "current"

    @property
    def sides(self) -> list[tuple[str, ReplaySide]]:
        """Then, and now where there is one."""
        sides = [("Recorded", self.told.recorded)]
        return [*sides, ("Made again", self.told.replayed)] if self.told.replayed else sides
