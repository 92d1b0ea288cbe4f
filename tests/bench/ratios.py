"""Results as ratios within a round, and the targets of docs/performance.md beside them."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence

from bench.contenders import BYTES, DIRECT, GATEWAYS, GO, HYPERCORN, UVICORN
from bench.rounds import Latency, Results, Throughput

# Of one gateway over the Go forwarder, or over the Python one where there is no Go.
THROUGHPUT_TARGETS = {GO: {HYPERCORN: 0.22, UVICORN: 0.40}, BYTES: {HYPERCORN: 0.09, UVICORN: 0.20}}
ADDED_P50_TARGETS = {HYPERCORN: 5.0, UVICORN: 4.0}


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    """Of one figure over the rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


@dataclasses.dataclass(frozen=True, slots=True)
class Ratio:
    """A comparison within each round.

    Attributes:
        what: which figure, in words.
        of: the contender.
        over: what it is compared with.
        spread: over the rounds.
        target: bound for the median, or None where there is none.
        at_least: whether the target is a lower bound.
    """

    what: str
    of: str
    over: str
    spread: Spread
    target: float | None = None
    at_least: bool = True

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.spread.median >= self.target if self.at_least else self.spread.median <= self.target


def ratios(results: Results) -> list[Ratio]:
    floor = GO if GO in results.throughput else BYTES
    found = []
    for name in GATEWAYS:
        if name not in results.throughput:
            continue
        target = THROUGHPUT_TARGETS[floor][name]
        found += [
            Ratio("requests/s per core", name, floor, _paired(results.throughput, name, floor, _rate), target),
            Ratio("requests per CPU second", name, floor, _paired(results.throughput, floor, name, _cpu), target),
        ]
        if floor == GO:
            spread = _added_p50(results.latency, name, floor)
            found.append(Ratio("added p50", name, floor, spread, ADDED_P50_TARGETS[name], at_least=False))
    return found


def scan_ratios(figures: Mapping[str, float], targets: Mapping[str, float]) -> list[Ratio]:
    """The scan's own figures; each comes from one run in which the readers took turns, so it has no spread."""
    found = []
    for name, value in figures.items():
        of, _, over = name.partition(" / ")
        found.append(Ratio("CPU time", of, over, Spread.of([value]), targets.get(name), at_least=False))
    return found


def _rate(one: Throughput) -> float:
    return one.requests_per_s


def _cpu(one: Throughput) -> float:
    return one.cpu_us


def _paired(
    by_name: Mapping[str, Sequence[Throughput]], name: str, floor: str, figure: Callable[[Throughput], float]
) -> Spread:
    return Spread.of(
        [figure(mine) / max(figure(its), 1e-9) for mine, its in zip(by_name[name], by_name[floor], strict=True)]
    )


def _added_p50(latency: Mapping[str, Sequence[Latency]], name: str, floor: str) -> Spread:
    """What each adds over the upstream itself in the same round, divided; a floor that adds nothing counts as 10 µs."""
    added = [
        [max(one.p50_ms - direct.p50_ms, 0.01) for one, direct in zip(latency[who], latency[DIRECT], strict=True)]
        for who in (name, floor)
    ]
    return Spread.of([mine / its for mine, its in zip(*added, strict=True)])
