"""What the templates of the record show, worked out from what was read. Pure: no I/O, no HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from axonflow_portal.record import words
from axonflow_portal.record.charts import Chart, chart_of, share, step_of
from axonflow_portal.record.filters import DEFAULT_WINDOW, DecisionFilter, span_of
from axonflow_portal.record.wire import Circuits, Entry, EntryList, GapReport, Summary
from axonflow_portal.troubles import Trouble

GAP_KINDS = ("denied_called", "unreported")
_SLACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DecisionsView:
    """The list of decisions.

    Attributes:
        page: None where it could not be read; the page then shows the trouble and no table.
    """

    filter: DecisionFilter
    page: EntryList | None
    troubles: tuple[Trouble, ...]
    now: datetime

    @property
    def window_phrase(self) -> str:
        """The time asked for, as it ends a sentence."""
        if self.filter.dated:
            since, until = self.filter.since.replace("T", " "), self.filter.until.replace("T", " ")
            return (
                f"from {since} UTC to {until} UTC"
                if since and until
                else f"{'since' if since else 'up to'} " + (f"{since or until} UTC")
            )
        name = words.WINDOW_NAMES[self.filter.window]
        return "in everything kept" if self.filter.window == "all" else f"in the {name.lower()}"

    @property
    def title(self) -> str:
        """What the table holds."""
        if self.page is None:
            return ""
        if self.page.partial:
            return "Decisions: too many to count in time"
        return f"{words.counted(self.page.total, 'decision')} {self.window_phrase}"

    @property
    def shortened(self) -> bool:
        """Whether the time asked for is longer than this edition keeps rows."""
        if self.page is None or self.page.retention_days < 0 or self.filter.dated:
            return False
        if self.filter.window == "all":
            return True
        return span_of(self.filter.window) > timedelta(days=self.page.retention_days)

    def export_link(self, form: str) -> str:
        """The same rows as a file."""
        query = self.filter.query()
        return f"/decisions/export{query}{'&' if query else '?'}format={form}"


def headline(entry: Entry) -> str:
    """Why, in as few words as a row has room for: the policies that matched, else the reason."""
    names = list(dict.fromkeys(each.name or each.policy_id for each in entry.policy_details.policies))
    if names:
        return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    if entry.error_message or entry.reason:
        return entry.error_message or entry.reason
    return "No policy matched"


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the overview, and where it leads."""

    title: str
    value: str
    note: str
    link: str
    alert: str = ""


@dataclass(frozen=True, slots=True)
class TopPolicy:
    """A policy and how often it matched."""

    policy_id: str
    name: str
    count: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The front page; a part that could not be read is None and has its trouble."""

    window: str
    summary: Summary | None
    gaps: GapReport | None
    circuits: Circuits | None
    troubles: tuple[Trouble, ...]
    now: datetime

    @property
    def interval(self) -> str:
        """How wide a bar is."""
        return interval_of(self.window)

    @property
    def begins(self) -> datetime | None:
        """Where the record begins, if that is within the window: an edition keeps rows for so long."""
        return None if self.summary is None else _cut(self.summary.start_time, self.window, self.now)

    @property
    def counts(self) -> dict[str, int]:
        """Calls by verdict, strongest first, those without a call left out."""
        told = _by_verdict(self.summary.by_action) if self.summary else {}
        return {verdict: told[verdict] for verdict in words.VERDICTS if told.get(verdict)}

    @property
    def chart(self) -> Chart | None:
        """Calls by verdict over time; None where there was no call."""
        if self.summary is None or not self.summary.total_requests:
            return None
        counts = {step_of(step.start, self.interval): _by_verdict(step.by_action) for step in self.summary.series}
        since = self.now - span_of(self.window)
        return chart_of(counts, words.VERDICTS, since=since, until=self.now, interval=self.interval)

    @property
    def top(self) -> list[TopPolicy]:
        """The policies that matched most."""
        rows = self.summary.top_policies if self.summary else ()
        most = max((row.count for row in rows), default=0)
        return [
            TopPolicy(row.policy_id, row.policy_name or row.policy_id, row.count, share(row.count, most))
            for row in rows
        ]

    @property
    def tiles(self) -> list[Tile]:
        """The figures; what could not be read has none."""
        return [*self._calls(), *self._gaps(), *self._circuits()]

    def _calls(self) -> list[Tile]:
        told = self.summary
        if told is None:
            return []
        where = DecisionFilter(window=self.window)
        judged = f"{words.milliseconds(told.avg_latency_ms)} to judge on average" if told.avg_latency_ms else ""
        stopped = words.counted(told.blocked_requests, "call") + " refused or held back"
        rate = words.percent(told.block_rate_percent)
        return [
            Tile("Calls", f"{told.total_requests:,}", judged or "judged and recorded", f"/decisions{where.query()}"),
            Tile("Blocked", rate, stopped, f"/decisions{where.query(verdict='blocked')}"),
        ]

    def _gaps(self) -> list[Tile]:
        if self.gaps is None:
            return []
        totals, link = self.gaps.totals, f"/gaps?window={self.window}"
        note = f"of {words.counted(totals.approved, 'approval')} in Gateway Mode"
        return [Tile("Never reported", f"{totals.unaudited:,}", note, link, "warn" if totals.unaudited else "")]

    def _circuits(self) -> list[Tile]:
        told = self.circuits
        if told is None:
            return []
        note = "an emergency stop is in force" if told.emergency_stop_active else "stopping calls now"
        return [Tile("Circuits open", f"{told.count:,}", note if told.count else "nothing is stopped", "",
                     "block" if told.count else "")]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class GapsView:
    """Approvals of Gateway Mode that no report followed."""

    window: str
    client: str
    report: GapReport | None
    troubles: tuple[Trouble, ...]
    now: datetime

    @property
    def chart(self) -> Chart | None:
        """What is missing over time; None where nothing is."""
        if self.report is None or not self.report.gaps:
            return None
        interval = interval_of(self.window)
        counts: dict[datetime, Counter[str]] = {}
        for gap in self.report.gaps:
            step = counts.setdefault(step_of(gap.hour, interval), Counter())
            step["unreported"] += gap.unaudited
            step["denied_called"] += gap.called_despite_denial
        since = self.now - span_of(self.window)
        return chart_of(counts, GAP_KINDS, since=since, until=self.now, interval=interval)

    @property
    def begins(self) -> datetime | None:
        """As of the overview."""
        return None if self.report is None else _cut(self.report.since, self.window, self.now)

    @property
    def clients(self) -> list[tuple[str, int, int, int]]:
        """By client: calls never reported, calls made against a denial, and the length of its bar; the worst first."""
        missing: Counter[str] = Counter()
        against: Counter[str] = Counter()
        for gap in self.report.gaps if self.report else ():
            missing[gap.client_id] += gap.unaudited
            against[gap.client_id] += gap.called_despite_denial
        both = missing + against
        most = max(both.values(), default=0)
        return [(client, missing[client], against[client], share(count, most)) for client, count in both.most_common()]

    @property
    def reported_rate(self) -> str:
        """The share of closed approvals that a report followed."""
        totals = self.report.totals if self.report else None
        closed = totals.audited + totals.unaudited if totals else 0
        return words.percent(round(100 * totals.audited / closed, 1)) if totals and closed else "\u2013"

    def query(self, **changes: str) -> str:
        """This page with other parameters."""
        fields = {"window": self.window, "client": self.client, **changes}
        return DecisionFilter(window=fields["window"], client=fields["client"]).query()


def interval_of(window: str) -> str:
    """The steps of a chart: hours within a day, days beyond it."""
    return "hour" if window == DEFAULT_WINDOW else "day"


def _cut(begins: datetime, window: str, now: datetime) -> datetime | None:
    return begins if begins > now - span_of(window) + _SLACK else None


def _by_verdict(by_action: Mapping[str, int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for word, count in by_action.items():
        found[words.VERDICT_OF_WORD.get(word, word)] += count
    return dict(found)
