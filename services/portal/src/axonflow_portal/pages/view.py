"""What the policy list's template shows, worked out from a reading and a filter. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from axonflow_contracts.policies import StaticPolicy

from axonflow_portal.listing import (
    DESCENDING_FIRST,
    PolicyFilter,
    Tally,
    count_categories,
    select,
    tally_requests,
)
from axonflow_portal.reading import PolicyRead
from axonflow_portal.troubles import Trouble

BAR_WIDTH = 1000
_BAR_GAP = 4


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of the bar, in its own units."""

    action: str
    start: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliciesView:
    """The page's content.

    Attributes:
        rows: the policies that match, in order.
        known: how many were read.
        off: how many of those are off.
        readable: whether anything was read; without it the page shows the trouble and no table.
    """

    filter: PolicyFilter
    rows: list[StaticPolicy]
    known: int
    off: int
    categories: tuple[tuple[str, int], ...]
    tally: tuple[Tally, ...]
    troubles: tuple[Trouble, ...]
    readable: bool
    read_at: datetime
    bar_width: int = BAR_WIDTH

    @property
    def headline(self) -> str:
        """The sentence under the title; every number in it is counted from the rows."""
        if self.troubles:
            return f"{_policies(self.known)} could be read."
        off = f", {self.off} of them off" if self.off else ""
        return f"{_policies(self.known)}{off}. The agent judges every call by them before a model sees it."

    @property
    def result_title(self) -> str:
        """What the table holds."""
        if self.filter.narrows:
            return f"{len(self.rows)} of {_policies(self.known)}"
        return _policies(self.known)

    @property
    def bar(self) -> list[Segment]:
        """The tally as stretches of one bar from end to end."""
        total = sum(entry.count for entry in self.tally)
        room = BAR_WIDTH - _BAR_GAP * (len(self.tally) - 1)
        segments, seen = [], 0
        for place, entry in enumerate(self.tally):
            start, end = room * seen // total, room * (seen + entry.count) // total
            segments.append(Segment(entry.action, start + _BAR_GAP * place, end - start))
            seen += entry.count
        return segments

    def sort_link(self, key: str) -> str:
        """Where a column's heading leads: its first direction, then the other, then the reading order again."""
        first = f"-{key}" if key in DESCENDING_FIRST else key
        second = key if key in DESCENDING_FIRST else f"-{key}"
        following = {first: second, second: ""}.get(self.filter.sort, first)
        return "/policies" + self.filter.query(sort=following)

    def action_link(self, action: str) -> str:
        """Where a tally entry leads: only its policies, or all again."""
        if self.filter.action == action:
            return "/policies" + self.filter.query(action="", enabled=None)
        return "/policies" + self.filter.query(action=action, enabled=True)


def _policies(count: int) -> str:
    return "1 policy" if count == 1 else f"{count} policies"


def policies_view(read: PolicyRead, wanted: PolicyFilter) -> PoliciesView:
    """The page for one reading."""
    return PoliciesView(
        filter=wanted,
        rows=select(read.policies, wanted),
        known=len(read.policies),
        off=sum(not policy.enabled for policy in read.policies),
        categories=count_categories(read.policies),
        tally=tally_requests(read.policies),
        troubles=(read.trouble,) if read.trouble else (),
        readable=bool(read.policies) or read.trouble is None,
        read_at=read.read_at,
    )
